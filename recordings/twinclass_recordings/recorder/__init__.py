"""The recorder: RTP of a worker's pipe into files, without decoding, in a process of its own."""
