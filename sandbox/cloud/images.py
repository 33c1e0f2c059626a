"""The image catalogue: images.json and what the configuration adds. Nothing else exists."""

import json
import os
import tempfile
from pathlib import Path

from settings import settings


def write_catalogue() -> None:
    """moto reads its images from the file that MOTO_AMIS_PATH names, at import."""
    catalogue = {image["imageId"]: image for image in json.loads((Path(__file__).parent / "images.json").read_text())}
    for image in settings.images:
        catalogue.setdefault(image["imageId"], image)
    with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
        json.dump([_as_moto(image) for image in catalogue.values()], file)
    os.environ["MOTO_AMIS_PATH"] = file.name


def remove_catalogue() -> None:
    """moto has read it."""
    os.unlink(os.environ["MOTO_AMIS_PATH"])


def _as_moto(image: dict[str, str]) -> dict[str, object]:
    return {
        "ami_id": image["imageId"],
        "name": image.get("name", image["imageId"]),
        "description": "An image of the sandbox",
        "owner_id": "137112412989",
        "public": True,
        "virtualization_type": "hvm",
        "architecture": image["architecture"],
        "state": "available",
        "platform": None,
        "image_type": "machine",
        "hypervisor": "xen",
        "root_device_name": image.get("rootDeviceName", "/dev/xvda"),
        "root_device_type": "ebs",
        "sriov": "simple",
    }
