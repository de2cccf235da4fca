from networks import images, manifest_of, network, recorder  # noqa: F401
