"""What Fleck costs beside a bare ASGI application that only parses the same body: `python -m benchmarks [FILE]`."""
