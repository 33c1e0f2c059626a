"""Route tables: the one that a subnet has, and routes that lead nowhere."""

from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.internet_gateways import InternetGateway
from moto.ec2.models.route_tables import Route, RouteBackend, RouteTable
from moto.ec2.models.subnets import Subnet

from corrections.nat_gateways import NatGatewayNotFound

_associate = RouteBackend.associate_route_table
_create = RouteBackend.create_route


def apply() -> None:
    Route.state = property(state)
    RouteBackend.associate_route_table = associate_route_table
    RouteBackend.create_route = create_route


class AlreadyAssociated(EC2ClientError):
    code = "Resource.AlreadyAssociated"

    def __init__(self, table_id: str, subnet_id: str) -> None:
        super().__init__(self.code, f"the specified association for route table {table_id} conflicts with {subnet_id}'s")


def state(route: Route) -> str:
    """`blackhole` when its target is not there any more, or not attached.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Route.html
    """
    backend = route.route_table.ec2_backend
    gateway, gone = route.gateway, False
    if isinstance(gateway, InternetGateway):
        gone = gateway.vpc is None or gateway.vpc.id != route.route_table.vpc_id
    elif route.nat_gateway:
        gone = route.nat_gateway.state not in ("pending", "available")
    elif route.instance:
        gone = route.instance.state in ("shutting-down", "terminated")
    elif route.interface:
        gone = route.interface.id not in backend.enis
    elif route.egress_only_igw:
        gone = route.egress_only_igw.id not in backend.egress_only_internet_gateways
    return "blackhole" if gone else "active"


def associate_route_table(
    self: Any, route_table_id: str, gateway_id: str | None = None, subnet_id: str | None = None
) -> str:
    """A subnet has one table at a time; another one replaces it only by name.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateRouteTable.html
    """
    for table in self.route_tables.values():
        if subnet_id and subnet_id in table._associations.values() and table.id != route_table_id:
            raise AlreadyAssociated(route_table_id, subnet_id)
    return _associate(self, route_table_id, gateway_id, subnet_id)


def create_route(self: Any, *args: Any, **kwargs: Any) -> Route:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html"""
    nat_gateway_id = kwargs.get("nat_gateway_id")
    if nat_gateway_id and nat_gateway_id not in self.nat_gateways:
        raise NatGatewayNotFound(nat_gateway_id)
    return _create(self, *args, **kwargs)


def table_of(subnet: Subnet) -> RouteTable | None:
    """The one that it is associated with, or else its network's main one.
    https://docs.aws.amazon.com/vpc/latest/userguide/subnet-route-tables.html
    """
    tables = [each for each in subnet.ec2_backend.route_tables.values() if each.vpc_id == subnet.vpc_id]
    own = [each for each in tables if subnet.id in each._associations.values()]
    main = [each for each in tables if each.main_association_id is not None]
    return next(iter([*own, *main]), None)


def default_route(subnet: Subnet) -> Route | None:
    """Where packets for the Internet go: to IPv4, or else to IPv6 addresses; none where they are dropped.
    https://docs.aws.amazon.com/vpc/latest/userguide/route-table-options.html
    """
    table = table_of(subnet)
    active = [each for each in table.routes if each.state == "active"] if table else []
    to_ipv4 = [each for each in active if each.destination_cidr_block == "0.0.0.0/0"]
    to_ipv6 = [each for each in active if each.destination_ipv6_cidr_block == "::/0" and each.egress_only_igw]
    return next(iter([*to_ipv4, *to_ipv6]), None)
