"""The two programs of lessons 12 and 13: an echo-reverse server and a worker queue."""
