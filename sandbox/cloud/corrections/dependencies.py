"""Refuses to delete what is in use."""

from typing import Any

from moto.ec2.exceptions import DependencyViolationError
from moto.ec2.models.internet_gateways import InternetGatewayBackend
from moto.ec2.models.security_groups import SecurityGroupBackend
from moto.ec2.models.subnets import SubnetBackend
from moto.ec2.models.vpcs import VPCBackend
from moto.elbv2.models import elbv2_backends

_delete_security_group = SecurityGroupBackend.delete_security_group
_delete_subnet = SubnetBackend.delete_subnet
_delete_vpc = VPCBackend.delete_vpc
_detach_gateway = InternetGatewayBackend.detach_internet_gateway


def apply() -> None:
    SecurityGroupBackend.delete_security_group = delete_security_group
    SubnetBackend.delete_subnet = delete_subnet
    VPCBackend.delete_vpc = delete_vpc
    InternetGatewayBackend.detach_internet_gateway = detach_internet_gateway


def load_balancers(backend: Any) -> list[Any]:
    return list(elbv2_backends[backend.account_id][backend.region_name].load_balancers.values())


def delete_security_group(self: Any, name: str | None = None, group_id: str | None = None) -> None:
    """Not while an interface, a load balancer or another group's rule uses it.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html
    """
    group = self.get_security_group_by_name_or_id(group_id or name)
    if group is not None:
        interfaces = any(group in each.group_set for each in self.enis.values())
        balancers = any(group.id in (each.security_groups or []) for each in load_balancers(self))
        others = [each for groups in self.groups.values() for each in groups.values() if each is not group]
        rules = [rule for each in others for rule in [*each.ingress_rules, *each.egress_rules]]
        referenced = any((rule.source_group or {}).get("GroupId") == group.id for rule in rules)
        if interfaces or balancers or referenced:
            raise DependencyViolationError(f"resource {group.id} has a dependent object")
    _delete_security_group(self, name, group_id)


def delete_subnet(self: Any, subnet_id: str) -> Any:
    """Not while it holds an interface or a load balancer; its route table associations go with it.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSubnet.html
    """
    interfaces = any(each.subnet.id == subnet_id for each in self.enis.values())
    balancers = any(subnet.id == subnet_id for each in load_balancers(self) for subnet in each.subnets)
    if interfaces or balancers:
        raise DependencyViolationError(f"The subnet '{subnet_id}' has dependencies and cannot be deleted.")
    subnet = _delete_subnet(self, subnet_id)
    for table in self.route_tables.values():
        for association_id, target in list(table._associations.items()):
            if target == subnet_id:
                del table._associations[association_id]
    return subnet


def delete_vpc(self: Any, vpc_id: str) -> Any:
    """Not while it has an internet gateway or a security group of its own.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteVpc.html
    """
    gateways = any(each.vpc and each.vpc.id == vpc_id for each in self.internet_gateways.values())
    groups = any(each.name != "default" for each in self.groups.get(vpc_id, {}).values())
    if gateways or groups:
        raise DependencyViolationError(f"The vpc '{vpc_id}' has dependencies and cannot be deleted.")
    return _delete_vpc(self, vpc_id)


def detach_internet_gateway(self: Any, internet_gateway_id: str, vpc_id: str) -> None:
    """Not while public addresses are mapped in the network.
    https://docs.aws.amazon.com/vpc/latest/userguide/working-with-igw.html
    """
    if any(each.public_ip and each.subnet.vpc_id == vpc_id for each in self.enis.values()):
        raise DependencyViolationError(
            f"Network {vpc_id} has some mapped public address(es). Please unmap those public address(es) before "
            "detaching the gateway."
        )
    _detach_gateway(self, internet_gateway_id, vpc_id)
