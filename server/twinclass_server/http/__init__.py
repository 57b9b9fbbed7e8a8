"""HTTP: pages, health, links, and the private listener."""
