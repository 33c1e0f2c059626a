"""Public addresses that AWS assigns by itself, from its own pool."""

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.responses.elastic_network_interfaces import ElasticNetworkInterfaces

from cloud import timers
from corrections.pools import next_address
from settings import settings

_modify = ElasticNetworkInterfaces.modify_network_interface_attribute


def apply() -> None:
    # An interface has its address when its instance runs, and not before it is attached to one.
    NetworkInterface.start = lambda self: None
    NetworkInterface.stop = release
    NetworkInterface.check_auto_public_ip = comes_back
    ElasticNetworkInterfaces.modify_network_interface_attribute = modify_attribute


def launched(interface: NetworkInterface, stated: bool | None) -> None:
    """What a launch says of its primary interface, or else its subnet.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-instance-addressing.html
    """
    interface.public_ip_auto_assign = bool(interface.subnet.map_public_ip_on_launch) if stated is None else stated


def assign(interface: NetworkInterface) -> None:
    """A running instance has an address of its own unless an Elastic IP is in its place, or it has another interface.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-instance-addressing.html
    """
    instance = interface.instance
    if instance is None or instance.state != "running" or len(instance.nics) > 1:
        return
    if interface.public_ip_auto_assign and interface.public_ip is None:
        backend = interface.ec2_backend
        taken = {each.public_ip for each in backend.enis.values()}
        interface.public_ip = next_address(backend, settings.publicAddressPool, taken)


def comes_back(interface: NetworkInterface) -> None:
    """When an Elastic IP has left, an instance that had an address of its own gets a new one, within a few minutes.
    https://docs.aws.amazon.com/vpc/latest/userguide/vpc-eips.html
    """
    departure = interface.departure = object()

    def over() -> None:
        if interface.departure is departure:
            assign(interface)

    timers.after(settings.publicAddressSeconds, over)


def release(interface: NetworkInterface) -> None:
    """An instance that stops or ends loses its own address for good, and keeps an Elastic IP.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-instance-addressing.html
    """
    if not any(each.eni is interface for each in interface.ec2_backend.addresses):
        interface.public_ip = None


def modify_attribute(self: Any) -> ActionResult:
    """An instance that runs gets or loses an address of its own.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyNetworkInterfaceAttribute.html
    """
    result = _modify(self)
    wanted = self._get_param("AssociatePublicIpAddress")
    if wanted is not None:
        interface = self.ec2_backend.get_network_interface(self._get_param("NetworkInterfaceId"))
        interface.public_ip_auto_assign = wanted
        assign(interface) if wanted else release(interface)
    return result
