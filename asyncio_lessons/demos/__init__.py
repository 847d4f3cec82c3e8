"""The programs that lessons run: what lesson 01 waits for, the echo-reverse server of lesson 12,
and the worker queue of lesson 13.
"""
