"""What ``twinclass doctor`` looks at: a small function each, that returns findings."""
