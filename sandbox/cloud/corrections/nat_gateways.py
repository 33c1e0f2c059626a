"""NAT gateways: they come and go in their time, and have addresses of their subnet."""

from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.nat_gateways import NatGateway, NatGatewayBackend

from cloud import timers
from corrections.addresses import free
from settings import settings

_create = NatGatewayBackend.create_nat_gateway


def apply() -> None:
    NatGateway.nat_gateway_addresses = property(addresses)
    NatGatewayBackend.create_nat_gateway = create_nat_gateway
    NatGatewayBackend.delete_nat_gateway = delete_nat_gateway


class NatGatewayNotFound(EC2ClientError):
    code = "NatGatewayNotFound"

    def __init__(self, nat_gateway_id: str) -> None:
        super().__init__(self.code, f"The NatGateway {nat_gateway_id} was not found")


def addresses(gateway: NatGateway) -> list[dict[str, Any]]:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NatGatewayAddress.html"""
    interface = gateway._eni
    elastic = next((each for each in gateway.ec2_backend.addresses if each.eni is interface), None)
    return [
        {
            "AllocationId": elastic.allocation_id if elastic else None,
            "AssociationId": elastic.association_id if elastic else None,
            "PublicIp": elastic.public_ip if elastic else None,
            "NetworkInterfaceId": interface.id,
            "PrivateIp": interface.private_ip_address,
            "IsPrimary": True,
            "Status": "succeeded",
        }
    ]


def create_nat_gateway(
    self: Any,
    subnet_id: str,
    allocation_id: str,
    tags: dict[str, str] | None = None,
    connectivity_type: str | None = None,
) -> NatGateway:
    """`pending`, then `available`; its private address is one of its subnet's, and it is public unless told otherwise.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNatGateway.html
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NatGateway.html
    """
    gateway = _create(self, subnet_id, allocation_id, tags, connectivity_type or "public")
    interface = gateway._eni
    gateway.private_ip = interface.subnet.get_available_subnet_ip(gateway)
    interface.private_ip_address = gateway.private_ip
    interface.private_ip_addresses = [{"Primary": True, "PrivateIpAddress": gateway.private_ip}]
    interface.interface_type = "nat_gateway"
    interface.requester_managed = True
    interface.status = "in-use"
    gateway.state = "pending"

    def available() -> None:
        if gateway.state == "pending":
            gateway.state = "available"

    timers.after(settings.provisionSeconds, available)
    return gateway


def delete_nat_gateway(self: Any, nat_gateway_id: str) -> NatGateway:
    """`deleting`, then `deleted`: its Elastic IP is free then and stays the account's, and routes to it lead nowhere.
    https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-working-with.html
    """
    gateway = self.nat_gateways.get(nat_gateway_id)
    if gateway is None:
        raise NatGatewayNotFound(nat_gateway_id)
    if gateway.state in ("deleting", "deleted"):
        return gateway
    gateway.state = "deleting"

    def deleted() -> None:
        for each in self.addresses:
            if each.eni is gateway._eni:
                free(each)
        gateway._eni.delete()
        gateway.state = "deleted"

    timers.after(settings.shutdownSeconds, deleted)
    return gateway
