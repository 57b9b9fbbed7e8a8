"""RTP and RTCP on the wire: parsers, builders and bookkeeping. Sans-I/O."""
