"""From one received packet to all its viewers: rings, rows and bursts. Sans-I/O."""
