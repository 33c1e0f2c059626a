"""RunInstances: launched once per client token, from a template if one is named, with the volumes of their image."""

import copy
from typing import Any

from moto.ec2.exceptions import (
    EC2ClientError,
    InvalidAMIIdError,
    InvalidKeyPairNameError,
    InvalidParameterCombination,
    InvalidSecurityGroupNotFoundError,
)
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.ec2.models.instances import Instance, InstanceBackend
from moto.ec2.responses.instances import InstanceResponse
from moto.ec2.utils import convert_tag_spec, filter_iam_instance_profiles
from moto.iam.exceptions import NotFoundException as IAMNotFoundException

from corrections import public_addresses, volumes
from corrections.instances import boot
from corrections.tokens import IdempotentParameterMismatch

_respond = InstanceResponse.run_instances
_run = InstanceBackend.run_instances

ABSENT_TOKEN = "ABCDE"  # moto's word for a call without a client token

# What the caller asked for, with what moto does not hand on; empty when an array launches. Guarded by the cloud's lock.
_request: dict[str, Any] = {}


def apply() -> None:
    InstanceResponse.run_instances = respond
    InstanceResponse._parse_block_device_mapping = lambda self: []
    InstanceBackend.run_instances = run_instances
    NetworkInterface.group_set = property(lambda self: list(self._group_set))


class UnsupportedArchitecture(EC2ClientError):
    code = "InvalidParameterValue"

    def __init__(self, image: str, instance_type: str) -> None:
        super().__init__(
            self.code,
            f"The architecture '{image}' of the specified image is not supported by instance type '{instance_type}'.",
        )


def respond(self: Any) -> Any:
    """A template's network interface and a subnet exclude each other, as an interface of the call and a subnet do.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html
    """
    _request.update(self.params)
    self.params = {key: value for key, value in self.params.items() if key != "IamInstanceProfile"}
    try:
        if self.params.get("SubnetId") and _template(self.ec2_backend, self.params.get("LaunchTemplate")).get(
            "NetworkInterfaces"
        ):
            raise InvalidParameterCombination(
                "Network interfaces and an instance-level subnet ID may not be specified on the same request"
            )
        if self._get_param("DryRun"):
            check_parameters(self)
        return _respond(self)
    finally:
        _request.clear()


def check_parameters(self: Any) -> None:
    """A dry run is refused for its parameters too, before it says that it would have succeeded.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html
    """
    backend = self.ec2_backend
    asked = {**_template(backend, self.params.get("LaunchTemplate")), **_request}
    check_image(backend, asked.get("ImageId", ""), asked.get("InstanceType", "m1.small"))
    profile = asked.get("IamInstanceProfile")
    try:
        _profile(backend, profile)
    except IAMNotFoundException as error:
        message = f"Value ({profile.get('Name') or profile.get('Arn')}) for parameter iamInstanceProfile is invalid."
        raise EC2ClientError("InvalidParameterValue", message) from error
    interfaces = asked.get("NetworkInterfaces") or []
    for subnet in filter(None, [asked.get("SubnetId"), *(each.get("SubnetId") for each in interfaces)]):
        backend.get_subnet(subnet)
    groups = [*(asked.get("SecurityGroupIds") or []), *(group for each in interfaces for group in each.get("Groups") or [])]
    for group in groups:
        if backend.get_security_group_from_id(group) is None:
            raise InvalidSecurityGroupNotFoundError(group)
    if asked.get("KeyName") and asked["KeyName"] not in backend.key_pairs:
        raise InvalidKeyPairNameError(asked["KeyName"])
    for mapping in asked.get("BlockDeviceMappings") or []:
        volume = mapping.get("Ebs") or {}
        if volume.get("VolumeType") in ("io1", "io2") and not volume.get("Iops"):
            raise EC2ClientError("MissingParameter", f"The parameter iops must be specified for {volume['VolumeType']} volumes.")


def run_instances(
    self: Any, image_id: str, count: int, user_data: Any, security_group_names: list[str], **kwargs: Any
) -> Any:
    """The same client token gives the same instances, and with other parameters an error.
    https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
    """
    token = kwargs.get("client_token", ABSENT_TOKEN)
    if token == ABSENT_TOKEN:
        return launch(self, image_id, count, user_data, security_group_names, kwargs)
    parameters = repr(sorted(_request.items()))
    launches = self.__dict__.setdefault("launches_by_token", {})
    if token in launches:
        known, reservation = launches[token]
        if known != parameters:
            raise IdempotentParameterMismatch()
        return reservation
    reservation = launch(self, image_id, count, user_data, security_group_names, kwargs)
    launches[token] = (parameters, reservation)
    return reservation


def launch(
    backend: Any, image_id: str, count: int, user_data: Any, security_group_names: list[str], kwargs: dict[str, Any]
) -> Any:
    """All of the instances or none: an error leaves nothing behind.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html
    """
    user_data = user_data if str(user_data or "") else None
    template = _template(backend, kwargs.get("launch_template"))
    asked = {**template, **_request}
    image_id = image_id or asked.get("ImageId", "")
    kwargs = {**kwargs, **_from_template(template, kwargs)}
    check_image(backend, image_id, kwargs["instance_type"])
    profile = _profile(backend, asked.get("IamInstanceProfile"))
    tags = {kind: {**given, **kwargs.get("tags", {}).get(kind, {})} for kind, given in _template_tags(template).items()}
    tags = {**kwargs.get("tags", {}), **tags}
    known = set(backend.reservations)
    try:
        reservation = _run(backend, image_id, count, user_data, security_group_names, **kwargs)
    except Exception:
        for each in set(backend.reservations) - known:
            _undo(backend, each)
        raise
    for instance in reservation.instances:
        complete(backend, instance, template, tags)
        if profile is not None:
            backend.associate_iam_instance_profile(instance_id=instance.id, iam_instance_profile_arn=profile.arn)
        boot(instance)
    return reservation


def complete(backend: Any, instance: Instance, template: dict[str, Any], tags: dict[str, dict[str, str]]) -> None:
    """Adds the facts of DescribeInstances that moto does not know: groups are those of the primary interface,
    and what the call leaves out has its default. An interface that a launch creates goes with its instance.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceNetworkInterfaceSpecification.html
    """
    asked = {**template, **_request}
    specifications = {int(each.get("DeviceIndex") or 0): each for each in asked.get("NetworkInterfaces") or []}
    for index, interface in instance.nics.items():
        specification = specifications.get(index, {})
        if "NetworkInterfaceId" not in specification:
            public_addresses.launched(interface, specification.get("AssociatePublicIpAddress"))
            interface.delete_on_termination = specification.get("DeleteOnTermination", True)
            interface.description = specification.get("Description") or ""
            if "network-interface" in tags:
                backend.create_tags([interface.id], tags["network-interface"])
    instance.disable_api_termination = bool(asked.get("DisableApiTermination"))
    placement = asked.get("Placement") or {}
    instance.placement.group_name = placement.get("GroupName", "")
    instance.placement.tenancy = placement.get("Tenancy", "default")
    instance.credit = (asked.get("CreditSpecification") or {}).get("CpuCredits") or default_credit(instance)
    instance.enclave_options = {"Enabled": (asked.get("EnclaveOptions") or {}).get("Enabled", False)}
    instance.maintenance_options = {
        "AutoRecovery": (asked.get("MaintenanceOptions") or {}).get("AutoRecovery", "default")
    }
    instance.capacity_reservation_specification = asked.get("CapacityReservationSpecification") or {
        "CapacityReservationPreference": "open"
    }
    instance.private_dns_name_options = {
        "HostnameType": "ip-name",
        "EnableResourceNameDnsARecord": False,
        "EnableResourceNameDnsAAAARecord": False,
        **(asked.get("PrivateDnsNameOptions") or {}),
    }
    instance.cpu_options = cpu_options(instance.instance_type, asked.get("CpuOptions") or {})
    image = next(image for image in backend.amis.values() if image.id == instance.image_id)
    layers = [template.get("BlockDeviceMappings") or [], _request.get("BlockDeviceMappings") or []]
    volumes.attach(instance, volumes.mappings(image, *layers), tags.get("volume", {}))


def check_image(backend: Any, image_id: str, instance_type: str) -> None:
    """The image exists, and is built for an architecture that the instance type runs.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ComponentsAMIs.html
    """
    images = [image for image in backend.amis.values() if image.id == image_id]
    if not images:
        raise InvalidAMIIdError(image_id)
    known = INSTANCE_TYPES.get(instance_type)
    supported = known["ProcessorInfo"]["SupportedArchitectures"] if known else [images[0].architecture]
    if images[0].architecture not in supported:
        raise UnsupportedArchitecture(images[0].architecture, str(instance_type))


def default_credit(instance: Instance) -> str:
    """T3, T3a and T4g are `unlimited` unless told otherwise, T2 is `standard`.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/burstable-performance-instances-unlimited-mode-concepts.html
    """
    return "unlimited" if instance.instance_type.split(".")[0] in ("t3", "t3a", "t4g") else "standard"


def cpu_options(instance_type: str, asked: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-optimize-cpu.html"""
    cpus = INSTANCE_TYPES.get(instance_type, {}).get("VCpuInfo", {})
    result = {"CoreCount": cpus.get("DefaultCores", 1), "ThreadsPerCore": cpus.get("DefaultThreadsPerCore", 1)}
    return {**result, **asked}


def _template(backend: Any, argument: dict[str, Any] | None) -> dict[str, Any]:
    """The data of the template version that a launch names."""
    return backend._get_template_from_args(argument).data if argument else {}


def _template_tags(template: dict[str, Any]) -> dict[str, dict[str, str]]:
    return convert_tag_spec(template.get("TagSpecifications") or [])


def _from_template(template: dict[str, Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Takes from the template whatever the call leaves out.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-launch-templates.html
    """
    result: dict[str, Any] = {
        # Volumes are added when the instance is there.
        "block_device_mappings": [],
        "nics": copy.deepcopy(kwargs.get("nics") or template.get("NetworkInterfaces") or []),
        "metadata_options": {**(template.get("MetadataOptions") or {}), **(kwargs.get("metadata_options") or {})},
        "ebs_optimized": kwargs.get("ebs_optimized") or bool(template.get("EbsOptimized")),
        "disable_api_stop": kwargs.get("disable_api_stop") or bool(template.get("DisableApiStop")),
        "instance_initiated_shutdown_behavior": kwargs.get("instance_initiated_shutdown_behavior")
        or template.get("InstanceInitiatedShutdownBehavior"),
        "key_name": kwargs.get("key_name") or template.get("KeyName"),
    }
    if (template.get("Monitoring") or {}).get("Enabled") and "Monitoring" not in _request:
        result["monitoring_state"] = "enabled"
    if kwargs.get("is_instance_type_default") and template.get("InstanceType"):
        result |= {"instance_type": template["InstanceType"], "is_instance_type_default": False}
    if not kwargs.get("placement") and not kwargs.get("subnet_id"):
        result["placement"] = (template.get("Placement") or {}).get("AvailabilityZone")
    if kwargs.get("subnet_id") and "nics" not in kwargs:
        # An array names the subnet, and the template's interfaces are in it.
        for interface in result["nics"]:
            interface["SubnetId"] = kwargs["subnet_id"]
    return result


def _profile(backend: Any, asked: dict[str, str] | None) -> Any:
    if not asked:
        return None
    return filter_iam_instance_profiles(
        backend.account_id,
        partition=backend.partition,
        iam_instance_profile_arn=asked.get("Arn"),
        iam_instance_profile_name=asked.get("Name"),
    )


def _undo(backend: Any, reservation_id: str) -> None:
    for instance in backend.reservations[reservation_id].instances:
        for interface in instance.nics.values():
            interface.delete_on_termination = True
        instance.release()
    del backend.reservations[reservation_id]
