"""Volumes of an instance: the image's, changed by the launch template and by the call."""

from typing import Any

from moto.ec2.models.amis import Ami
from moto.ec2.models.elastic_block_store import EBSBackend, VolumeAttachment
from moto.ec2.models.instances import Instance

_create = EBSBackend.create_volume
_init_image = Ami.__init__

IMAGE_VOLUME_GIB = 8


def apply() -> None:
    Ami.__init__ = init_image
    Ami.block_device_mappings = property(image_mappings)
    EBSBackend.create_volume = create_volume
    VolumeAttachment.delete_on_termination = property(deleted_with_instance)


def init_image(self: Ami, *args: Any, **kwargs: Any) -> None:
    _init_image(self, *args, **kwargs)
    self.ebs_snapshot.volume.size = IMAGE_VOLUME_GIB


def image_mappings(image: Ami) -> list[dict[str, Any]]:
    """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/block-device-mapping-concepts.html"""
    root = {
        "SnapshotId": image.ebs_snapshot.id,
        "VolumeSize": IMAGE_VOLUME_GIB,
        "VolumeType": "gp3",
        "DeleteOnTermination": True,
        "Encrypted": False,
    }
    return [{"DeviceName": image.root_device_name, "Ebs": root}]


def mappings(image: Ami, *layers: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Merges the layers of a device: each takes from the one below what it leaves out; the lowest is the image's own mapping.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/block-device-mapping-concepts.html
    """
    devices = {mapping["DeviceName"]: mapping["Ebs"] for mapping in image.block_device_mappings}
    for layer in layers:
        for mapping in layer:
            name = mapping["DeviceName"]
            if mapping.get("NoDevice") is not None:
                devices.pop(name, None)
            elif mapping.get("Ebs"):
                stated = {key: value for key, value in mapping["Ebs"].items() if value is not None}
                devices[name] = {**devices.get(name, {}), **stated}
    return devices


def attach(instance: Instance, devices: dict[str, dict[str, Any]], tags: dict[str, str]) -> None:
    for device, ebs in devices.items():
        encrypted = ebs.get("Encrypted") is True
        volume = instance.ec2_backend.create_volume(
            size=ebs.get("VolumeSize"),
            zone_name=instance._placement.zone,
            snapshot_id=ebs.get("SnapshotId"),
            encrypted=encrypted,
            kms_key_id=ebs.get("KmsKeyId") if encrypted else None,
            volume_type=ebs.get("VolumeType") or "gp2",
            iops=ebs.get("Iops"),
            throughput=ebs.get("Throughput"),
        )
        volume.add_tags(tags)
        instance.ec2_backend.attach_volume(volume.id, instance.id, device, ebs.get("DeleteOnTermination", True))


def deleted_with_instance(attachment: VolumeAttachment) -> bool:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VolumeAttachment.html"""
    device = attachment.instance.block_device_mapping.get(attachment.device)
    return bool(device and device.delete_on_termination)


def create_volume(self: Any, *args: Any, **kwargs: Any) -> Any:
    """A gp3 volume has 125 MiB/s, a gp2 volume 3 IOPS per GiB and at least 100.
    https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html
    """
    volume = _create(self, *args, **kwargs)
    if volume.volume_type == "gp3":
        volume.throughput = volume.throughput or 125
    if volume.volume_type == "gp2":
        volume.iops = min(max(100, 3 * int(volume.size)), 16000)
    return volume
