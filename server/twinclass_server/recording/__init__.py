"""From a lesson that closes to a package in the library, and how recording goes meanwhile."""
