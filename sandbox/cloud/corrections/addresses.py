"""Elastic IPs."""

from typing import Any

from moto.ec2.exceptions import EC2ClientError, InvalidAssociationIdError, ResourceAlreadyAssociatedError
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.elastic_ip_addresses import ElasticAddress, ElasticAddressBackend
from moto.ec2.utils import random_eip_association_id

from corrections.pools import next_address
from corrections.public_addresses import comes_back
from settings import settings

_allocate = ElasticAddressBackend.allocate_address
_disassociate = ElasticAddressBackend.disassociate_address


def apply() -> None:
    ElasticAddressBackend.allocate_address = allocate_address
    ElasticAddressBackend.associate_address = associate_address
    ElasticAddressBackend.disassociate_address = disassociate_address
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Address.html: a free address has none of the first two.
    ElasticAddress.instance_id = property(lambda self: self.instance.id if self.instance else None)
    ElasticAddress.network_interface_id = property(lambda self: self.eni.id if self.eni else None)
    NetworkInterface.association = property(association)
    ElasticAddress.network_border_group = property(lambda self: self.ec2_backend.region_name)


class InvalidInstanceState(EC2ClientError):
    code = "InvalidInstanceID"

    def __init__(self, instance: Any) -> None:
        message = f"The {instance.state} instance '{instance.id}' is not in a valid state for this operation."
        super().__init__(self.code, message)


def association(interface: NetworkInterface) -> dict[str, Any] | None:
    """Only an interface with a public address has an association, and it names the address as it is known outside.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceNetworkInterfaceAssociation.html
    """
    if not interface.public_ip:
        return None
    region = interface.ec2_backend.region_name
    domain = "compute-1" if region == "us-east-1" else f"{region}.compute"
    eip = next((each for each in interface.ec2_backend.addresses if each.public_ip == interface.public_ip), None)
    return {
        "AllocationId": eip.allocation_id if eip else None,
        "AssociationId": eip.association_id if eip else None,
        "IpOwnerId": interface.ec2_backend.account_id if eip else "amazon",
        "PublicDnsName": f"ec2-{interface.public_ip.replace('.', '-')}.{domain}.amazonaws.com",
        "PublicIp": interface.public_ip,
    }


def allocate_address(
    self: Any, domain: str, address: str | None = None, tags: dict[str, str] | None = None
) -> ElasticAddress:
    """Addresses come from the sandbox's pool, each once, so that each can be a listener of its own."""
    taken = {each.public_ip for each in self.addresses}
    return _allocate(self, domain, address or next_address(self, settings.addressPool, taken), tags)


def associate_address(
    self: Any,
    instance: Any = None,
    eni: Any = None,
    address: str | None = None,
    allocation_id: str | None = None,
    reassociate: bool = False,
) -> ElasticAddress:
    """One holder per address, and one address per interface: a move clears it on the old holder, and the address that
    the new holder had goes back to being free, or to AWS for good. A move has a new association id; the old one is unknown
    from then on. An instance that boots or ends takes none.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateAddress.html
    """
    eip = (self.address_by_ip([address]) if address else self.address_by_allocation([allocation_id]))[0]
    if instance is not None and instance.state in ("pending", "shutting-down", "terminated"):
        raise InvalidInstanceState(instance)
    interface = eni or instance.nics[0]
    if eip.association_id and eip.eni is interface:
        return eip
    if eip.association_id and not reassociate:
        raise ResourceAlreadyAssociatedError(eip.public_ip)
    for other in self.addresses:
        if other is not eip and other.eni is interface:
            free(other)
    if eip.eni:
        _leave(eip.eni)
    eip.eni = interface
    eip.instance = interface.instance
    interface.public_ip = eip.public_ip
    eip.association_id = random_eip_association_id()
    return eip


def disassociate_address(self: Any, address: str | None = None, association_id: str | None = None) -> None:
    """An association that a move has replaced answers InvalidAssociationID.NotFound.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    """
    if association_id and not any(each.association_id == association_id for each in self.addresses):
        raise InvalidAssociationIdError({association_id})
    _disassociate(self, address, association_id)


def release_all_of(backend: Any, instance: Any) -> None:
    """A terminated instance gives its addresses back.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/elastic-ip-addresses-eip.html
    """
    for eip in backend.addresses:
        if eip.instance is instance:
            free(eip)


def _leave(interface: NetworkInterface) -> None:
    interface.public_ip = None
    comes_back(interface)


def free(eip: ElasticAddress) -> None:
    if eip.eni:
        _leave(eip.eni)
    eip.eni = None
    eip.instance = None
    eip.association_id = None
