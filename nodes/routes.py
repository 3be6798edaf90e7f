"""Routes."""


def add_routes() -> None:
    pass
