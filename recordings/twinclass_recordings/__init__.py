"""A recorder is one more subscriber of the media plane. (The recorder itself comes later.)"""
