"""Instances: they boot, have status checks, fit their image, and are launched once per client token."""

import time
from typing import Any

from moto.core.exceptions import ServiceException
from moto.ec2.exceptions import EC2ClientError, InvalidAMIIdError
from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.ec2.models.instances import Instance, InstanceBackend
from moto.ec2.responses.instances import InstanceResponse

from cloud import timers
from corrections.addresses import release_all_of
from settings import settings

_run = InstanceBackend.run_instances
_terminate = Instance.terminate
_start = Instance.start
_stop = Instance.stop

ABSENT_TOKEN = "ABCDE"  # moto's word for a call without a client token


def apply() -> None:
    InstanceBackend.run_instances = run_instances
    Instance.terminate = terminate
    Instance.start = start
    Instance.stop = stop
    Instance.setup_defaults = setup_defaults
    Instance.add_block_device = add_block_device
    InstanceResponse._validate_block_device_mapping = lambda self, mapping: None
    Instance.instance_status = property(instance_status)
    Instance.system_status = property(instance_status)


class IdempotentParameterMismatch(EC2ClientError):
    code = "IdempotentParameterMismatch"

    def __init__(self) -> None:
        super().__init__(self.code, "The client token was used with other parameters before.")


class UnsupportedArchitecture(EC2ClientError):
    code = "InvalidParameterValue"

    def __init__(self, image: str, instance_type: str) -> None:
        super().__init__(
            self.code,
            f"The architecture '{image}' of the specified image is not supported by instance type '{instance_type}'.",
        )


def run_instances(
    self: Any, image_id: str, count: int, user_data: Any, security_group_names: list[str], **kwargs: Any
) -> Any:
    """The same client token gives the same instances, and with other parameters an error.
    https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
    """
    token = kwargs.get("client_token", ABSENT_TOKEN)
    parameters = repr((image_id, count, user_data, security_group_names, sorted(kwargs.items(), key=lambda kv: kv[0])))
    launches = self.__dict__.setdefault("launches_by_token", {})
    if token != ABSENT_TOKEN and token in launches:
        known, reservation = launches[token]
        if known != parameters:
            raise IdempotentParameterMismatch()
        return reservation
    check_image(self, image_id, kwargs)
    reservation = _run(self, image_id, count, user_data, security_group_names, **kwargs)
    for instance in reservation.instances:
        show_security_groups(instance)
        boot(instance)
    if token != ABSENT_TOKEN:
        launches[token] = (parameters, reservation)
    return reservation


def check_image(backend: Any, image_id: str | None, kwargs: dict[str, Any]) -> None:
    """The image exists, and is built for an architecture that the instance type runs.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ComponentsAMIs.html
    """
    template = backend._get_template_from_args(kwargs["launch_template"]).data if kwargs.get("launch_template") else {}
    image_id = image_id or template.get("ImageId")
    images = [image for image in backend.amis.values() if image.id == image_id]
    if not images:
        raise InvalidAMIIdError(image_id)
    explicit = None if kwargs.get("is_instance_type_default") else kwargs.get("instance_type")
    instance_type = explicit or template.get("InstanceType") or kwargs.get("instance_type")
    known = INSTANCE_TYPES.get(instance_type)
    supported = known["ProcessorInfo"]["SupportedArchitectures"] if known else [images[0].architecture]
    if images[0].architecture not in supported:
        raise UnsupportedArchitecture(images[0].architecture, str(instance_type))


def show_security_groups(instance: Instance) -> None:
    """An instance's groups are those of its primary interface.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html
    """
    if not instance.security_groups and 0 in instance.nics:
        instance.security_groups = list(instance.nics[0].group_set)


def boot(instance: Instance) -> None:
    """`pending`, then `running`; status checks take a while more.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html
    """

    def runs() -> None:
        if instance.state == "pending":
            set_state(instance, "running", 16)
            instance.runs_since = time.monotonic()
            timers.after(settings.statusCheckSeconds, lambda: None)

    set_state(instance, "pending", 0)
    timers.after(settings.bootSeconds, runs)


def instance_status(instance: Instance) -> dict[str, Any]:
    """Reachability checks are `initializing` first.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-system-instance-status-check.html
    """
    if instance.state not in ("running", "pending"):
        return {"Status": "not-applicable"}
    passed = instance.state == "running" and time.monotonic() - instance.runs_since >= settings.statusCheckSeconds
    return {
        "Details": [{"Name": "reachability", "Status": "passed" if passed else "initializing"}],
        "Status": "ok" if passed else "initializing",
    }


def terminate(self: Instance) -> Any:
    """`shutting-down`, then `terminated`; its addresses are free at once. Terminating twice is no error.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/terminating-instances.html
    """
    if self.state in ("shutting-down", "terminated"):
        return self._state
    release_all_of(self.ec2_backend, self)
    previous = _terminate(self)
    set_state(self, "shutting-down", 32)
    timers.after(settings.shutdownSeconds, lambda: set_state(self, "terminated", 48))
    return previous


def stop(self: Instance) -> Any:
    """`stopping`, then `stopped`. https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Stop_Start.html"""
    previous = _stop(self)
    set_state(self, "stopping", 64)

    def stopped() -> None:
        if self.state == "stopping":
            set_state(self, "stopped", 80)

    timers.after(settings.shutdownSeconds, stopped)
    return previous


def start(self: Instance) -> Any:
    previous = _start(self)
    boot(self)
    return previous


def setup_defaults(self: Instance) -> None:
    """Without a mapping of its own an instance has the image's root volume, under the image's device name.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/block-device-mapping-concepts.html
    """
    add_block_device(self, 8, self.root_device_name, None, False, True, None, "gp3")


def add_block_device(
    self: Instance,
    size: int | None,
    device_path: str,
    snapshot_id: str | None,
    encrypted: bool,
    delete_on_termination: bool,
    kms_key_id: str | None,
    volume_type: str | None,
) -> None:
    """What a mapping of the root device leaves out comes from the image, and so does deletion on termination.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EbsBlockDevice.html
    """
    root = device_path == self.root_device_name
    volume = self.ec2_backend.create_volume(
        size=size or 8,
        zone_name=self._placement.zone,
        snapshot_id=snapshot_id,
        encrypted=str(encrypted).lower() == "true",
        kms_key_id=kms_key_id,
        volume_type=volume_type or "gp3",
    )
    self.ec2_backend.attach_volume(volume.id, self.id, device_path, delete_on_termination or root)


def set_state(instance: Instance, name: str, code: int) -> None:
    instance._state.name = name
    instance._state.code = code
