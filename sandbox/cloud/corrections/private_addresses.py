"""Private addresses of a subnet."""

import ipaddress
from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.subnets import Subnet


def apply() -> None:
    Subnet.get_available_subnet_ip = get_available_subnet_ip
    Subnet.request_ip = request_ip


def reserved(subnet: Subnet) -> set[ipaddress.IPv4Address]:
    """The first four addresses of a subnet, and the last.
    https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html
    """
    return {subnet.cidr[index] for index in (0, 1, 2, 3, -1)}


def taken(subnet: Subnet) -> set[str]:
    interfaces = subnet.ec2_backend.enis.values()
    of_interfaces = {each.private_ip_address for each in interfaces if each.subnet.id == subnet.id}
    return of_interfaces | set(subnet._subnet_ips)


def get_available_subnet_ip(self: Subnet, instance: Any) -> str:
    """An address that was given back is used again only after all others.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-instance-addressing.html
    """
    used = taken(self)
    kept_free = reserved(self)
    last = getattr(self, "last_address", None)
    count = self.cidr.num_addresses
    first = int(last) + 1 - int(self.cidr.network_address) if last else 4
    for offset in range(count):
        address = self.cidr[(first + offset) % count]
        if address not in kept_free and str(address) not in used:
            self.last_address = address
            self._subnet_ips[str(address)] = instance
            return str(address)
    raise EC2ClientError(
        "InsufficientFreeAddressesInSubnet", f"There are not enough free addresses in subnet '{self.id}'."
    )


def request_ip(self: Subnet, ip: str, instance: Any) -> None:
    """The address is in the subnet, not reserved, and free.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    """
    address = ipaddress.ip_address(ip)
    if address not in self.cidr:
        raise EC2ClientError("InvalidParameterValue", f"Address {ip} does not fall within the subnet's address range")
    if address in reserved(self):
        raise EC2ClientError("InvalidParameterValue", f"Address {ip} is in subnet's reserved address range")
    if ip in taken(self):
        raise EC2ClientError("InvalidIPAddress.InUse", f"Address {ip} is in use.")
    self._subnet_ips[ip] = instance
