"""Work on packages that takes long: transcoding, cutting, exporting, each in its own process."""
