"""The snapshot that the network follows: `CloudState` of sandbox/network/state.ts."""

from typing import Any

from moto.ec2.models import ec2_backends
from moto.elbv2.models import elbv2_backends

import quiet
from corrections.routes import default_route
from inputs import decoded


def snapshot() -> dict[str, Any]:
    result: dict[str, list[Any]] = {
        **{"instances": [], "subnets": [], "addresses": []},
        **{"loadBalancers": [], "targetGroups": []},
    }
    # Of every account: a site may be in one whose role was assumed.
    for backend in _all(ec2_backends):
        result["instances"] += [_instance(each) for each in backend.all_instances()]
        result["subnets"] += [_subnet(each) for zone in backend.subnets.values() for each in zone.values()]
        result["addresses"] += [_address(each) for each in backend.addresses]
    for balancing in _all(elbv2_backends):
        result["loadBalancers"] += [_load_balancer(each) for each in balancing.load_balancers.values()]
        result["targetGroups"] += [_target_group(each) for each in balancing.target_groups.values()]
    return result


def _all(backends: Any) -> list[Any]:
    return [backend for regions in list(backends.values()) for backend in list(regions.values())]


def _instance(instance: Any) -> dict[str, Any]:
    return {
        "id": instance.id,
        "state": instance.state,
        "privateIp": instance.private_ip or "",
        "publicIp": instance.public_ip,
        "subnetId": instance.subnet_id or "",
        "userData": decoded(instance.user_data),
        # Rules of the kernel end with it.
        "quietPorts": quiet.ports_of(instance.id) if instance.state == "running" else [],
    }


def _subnet(subnet: Any) -> dict[str, Any]:
    route = default_route(subnet)
    return {"id": subnet.id, "defaultRoute": _route(route) if route else None}


def _route(route: Any) -> dict[str, Any]:
    targets = (route.gateway, route.nat_gateway, route.instance, route.interface)
    targets += (route.egress_only_igw, route.transit_gateway, route.vpc_pcx, route.carrier_gateway)
    target = next((each.id for each in targets if each), route.vpc_endpoint_id or "")
    # Whatever passes an interface on has its address.
    passing = route.nat_gateway._eni if route.nat_gateway else route.interface
    passing = route.instance.nics.get(0) if route.instance else passing
    return {"target": target, "publicIp": passing.public_ip if passing else None}


def _address(address: Any) -> dict[str, Any]:
    return {
        "allocationId": address.allocation_id,
        "publicIp": address.public_ip,
        "instanceId": address.instance_id or None,
    }


def _load_balancer(balancer: Any) -> dict[str, Any]:
    return {
        "arn": balancer.arn,
        "addresses": balancer.addresses,
        "listeners": [_listener(each) for each in balancer.listeners.values()],
    }


def _listener(listener: Any) -> dict[str, Any]:
    rules = sorted(
        listener.rules.values(), key=lambda rule: (rule.is_default, 0 if rule.is_default else int(rule.priority))
    )
    return {"arn": listener.arn, "port": int(listener.port), "rules": [_rule(rule, listener) for rule in rules]}


def _rule(rule: Any, listener: Any) -> dict[str, Any]:
    actions = listener.default_actions if rule.is_default else rule.actions
    return {
        "arn": rule.arn,
        "hosts": _condition(rule, "host-header", "HostHeaderConfig"),
        "paths": _condition(rule, "path-pattern", "PathPatternConfig"),
        "action": _action(actions[-1]),
    }


def _condition(rule: Any, name: str, config: str) -> list[str]:
    values: list[str] = []
    for condition in rule.conditions:
        if condition.get("Field") == name:
            values += condition.get("Values") or condition.get(config, {}).get("Values", [])
    return values


def _action(action: Any) -> dict[str, Any]:
    data = action.data
    if data.get("Type") == "fixed-response":
        fixed = data["FixedResponseConfig"]
        return {
            "type": "fixed-response",
            "status": int(fixed["StatusCode"]),
            "contentType": fixed.get("ContentType") or "text/plain",
            "body": fixed.get("MessageBody") or "",
        }
    if data.get("Type") == "redirect":
        redirect = data["RedirectConfig"]
        return {
            "type": "redirect",
            "status": int(str(redirect["StatusCode"]).removeprefix("HTTP_")),
            "protocol": redirect.get("Protocol") or "#{protocol}",
            "host": redirect.get("Host") or "#{host}",
            "port": str(redirect.get("Port") or "#{port}"),
            "path": redirect.get("Path") or "/#{path}",
            "query": redirect.get("Query") or "#{query}",
        }
    forward = data.get("ForwardConfig") or {}
    groups = forward.get("TargetGroups") or [{"TargetGroupArn": data.get("TargetGroupArn"), "Weight": 1}]
    stickiness = forward.get("TargetGroupStickinessConfig") or {}
    enabled = str(stickiness.get("Enabled", False)).lower() == "true"
    return {
        "type": "forward",
        "targetGroups": [{"arn": group["TargetGroupArn"], "weight": int(group.get("Weight", 1))} for group in groups],
        "stickinessSeconds": int(stickiness.get("DurationSeconds") or 0) if enabled else 0,
    }


def _target_group(group: Any) -> dict[str, Any]:
    attributes = group.attributes
    sticky = str(attributes.get("stickiness.enabled")) == "true"
    port = int(group.port or 80)
    targets = [(target, False) for target in group.targets.values()]
    targets += [(target, True) for target in group.draining.values()]
    return {
        "arn": group.arn,
        "port": port,
        "healthCheck": {
            "enabled": bool(group.health_check_enabled),
            "path": group.health_check_path or "/",
            "port": str(group.health_check_port or "traffic-port"),
            "intervalSeconds": int(group.health_check_interval_seconds),
            "timeoutSeconds": int(group.health_check_timeout_seconds),
            "healthyThreshold": int(group.healthy_threshold_count),
            "unhealthyThreshold": int(group.unhealthy_threshold_count),
            "matcher": (getattr(group, "matcher", None) or {}).get("HttpCode") or "200",
        },
        "deregistrationDelaySeconds": int(attributes["deregistration_delay.timeout_seconds"]),
        "stickinessSeconds": int(attributes.get("stickiness.lb_cookie.duration_seconds", 86400)) if sticky else 0,
        "algorithm": attributes.get("load_balancing.algorithm.type", "round_robin"),
        "targets": [
            {"instanceId": target["Id"], "port": int(target.get("Port") or port), "draining": draining}
            for target, draining in targets
        ],
    }
