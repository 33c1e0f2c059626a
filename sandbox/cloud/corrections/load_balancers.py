"""Load balancers."""

import ipaddress
from typing import Any

from moto.elbv2.models import ELBv2Backend, FakeLoadBalancer

from cloud import timers
from settings import settings

_create = ELBv2Backend.create_load_balancer


def apply() -> None:
    ELBv2Backend.create_load_balancer = create_load_balancer
    FakeLoadBalancer.activate = lambda self: None


def create_load_balancer(self: Any, *args: Any, **kwargs: Any) -> FakeLoadBalancer:
    """`provisioning`, then `active`; its DNS name is an address of its own, so that clients connect to it as it is.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerState.html
    """
    balancer = _create(self, *args, **kwargs)
    balancer.dns_name = free_address(self)

    def active() -> None:
        balancer.state = "active"

    timers.after(settings.provisionSeconds, active)
    return balancer


def free_address(backend: Any) -> str:
    taken = {each.dns_name for each in backend.load_balancers.values()}
    return next(str(host) for host in ipaddress.ip_network(settings.loadBalancerPool).hosts() if str(host) not in taken)
