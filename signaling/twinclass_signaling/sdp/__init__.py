"""Session descriptions: a bounded parser, the uplink answer and the downlink pool."""
