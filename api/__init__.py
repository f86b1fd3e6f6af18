"""The HTTP API: the aiohttp application, authentication, and one package a dialect."""
