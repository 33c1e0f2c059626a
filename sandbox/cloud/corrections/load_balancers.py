"""Load balancers."""

import ipaddress
from typing import Any

from moto.elbv2.exceptions import DuplicateLoadBalancerName, ELBClientError, ValidationError
from moto.elbv2.models import ELBv2Backend, FakeLoadBalancer

from cloud import timers
from settings import settings

_create = ELBv2Backend.create_load_balancer
_delete = ELBv2Backend.delete_load_balancer
_init = FakeLoadBalancer.__init__

# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html
DEFAULT_ATTRIBUTES = {
    "access_logs.s3.enabled": "false",
    "access_logs.s3.bucket": "",
    "access_logs.s3.prefix": "",
    "client_keep_alive.seconds": "3600",
    "connection_logs.s3.enabled": "false",
    "connection_logs.s3.bucket": "",
    "connection_logs.s3.prefix": "",
    "deletion_protection.enabled": "false",
    "idle_timeout.timeout_seconds": "60",
    "load_balancing.cross_zone.enabled": "true",
    "routing.http.desync_mitigation_mode": "defensive",
    "routing.http.drop_invalid_header_fields.enabled": "false",
    "routing.http.preserve_host_header.enabled": "false",
    "routing.http.x_amzn_tls_version_and_cipher_suite.enabled": "false",
    "routing.http.xff_client_port.enabled": "false",
    "routing.http.xff_header_processing.mode": "append",
    "routing.http2.enabled": "true",
    "waf.fail_open.enabled": "false",
    "zonal_shift.config.enabled": "false",
}


def apply() -> None:
    ELBv2Backend.create_load_balancer = create_load_balancer
    ELBv2Backend.delete_load_balancer = delete_load_balancer
    FakeLoadBalancer.__init__ = init
    FakeLoadBalancer.activate = lambda self: None


def init(self: FakeLoadBalancer, *args: Any, **kwargs: Any) -> None:
    _init(self, *args, **kwargs)
    if self.type == "application":
        self.attrs = dict(DEFAULT_ATTRIBUTES)


def create_load_balancer(self: Any, name: str, *args: Any, **kwargs: Any) -> FakeLoadBalancer:
    """`provisioning`, then `active`; its DNS name says the addresses of its nodes, see sandbox/resolve.mjs.
    It is in two zones, and has its VPC's default security group if none is named. The same one created again is the
    one that is there; the name with other settings is an error.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html
    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerState.html
    """
    asked = repr((args, sorted(kwargs.items())))
    for known in self.load_balancers.values():
        if known.name == name:
            if known.asked == asked:
                return known
            raise DuplicateLoadBalancerName("A load balancer with the same name and other settings exists.")
    balancer = _create(self, name, *args, **kwargs)
    zones = {subnet.availability_zone for subnet in balancer.subnets}
    if balancer.type == "application" and len(zones) < 2:
        del self.load_balancers[balancer.arn]
        raise ValidationError("At least two subnets in two different Availability Zones must be specified")
    if balancer.type == "application" and not balancer.security_groups:
        balancer.security_groups = [self.ec2_backend.get_default_security_group(balancer.vpc_id).id]
    balancer.scheme = balancer.scheme or "internet-facing"
    balancer.asked = asked
    balancer.addresses = free_addresses(self, settings.balancerNodesPerZone * max(1, len(zones)))
    balancer.dns_name = f"n{len(balancer.addresses)}-{balancer.addresses[0].replace('.', '-')}.elb.localhost"

    def active() -> None:
        balancer.state = "active"

    timers.after(settings.provisionSeconds, active)
    return balancer


def delete_load_balancer(self: Any, arn: str) -> None:
    """One that is protected stays; deleting one that is gone is no error.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeleteLoadBalancer.html
    """
    balancer = self.load_balancers.get(arn)
    if balancer is not None and str(balancer.attrs.get("deletion_protection.enabled")).lower() == "true":
        message = f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
        raise ELBClientError("OperationNotPermitted", message)
    _delete(self, arn)


def free_addresses(backend: Any, count: int) -> list[str]:
    """Addresses in a row that no other load balancer has."""
    others = [getattr(each, "addresses", []) for each in backend.load_balancers.values()]
    taken = [ipaddress.ip_address(address) for addresses in others for address in addresses]
    first = max(taken, default=ipaddress.ip_network(settings.loadBalancerPool).network_address) + 1
    return [str(first + index) for index in range(count)]
