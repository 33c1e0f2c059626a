"""Pools of public addresses that an account has beside Amazon's: brought to AWS, or of the VPC's IP Address Manager."""

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.elastic_ip_addresses import ElasticAddress
from moto.ec2.responses import EC2Response
from moto.ec2.responses.elastic_ip_addresses import ElasticIPAddresses

from settings import settings

_allocate = ElasticIPAddresses.allocate_address


def apply() -> None:
    ElasticAddress.public_ipv4_pool = "amazon"
    ElasticIPAddresses.allocate_address = allocate_address
    EC2Response.describe_public_ipv4_pools = describe_public_ipv4_pools
    EC2Response.describe_ipam_pools = describe_ipam_pools
    EC2Response.get_ipam_pool_cidrs = get_ipam_pool_cidrs
    EC2Response.get_ipam_pool_allocations = get_ipam_pool_allocations


class PoolNotFound(EC2ClientError):
    def __init__(self, pool_id: str) -> None:
        kind = "InvalidIpamPoolId" if pool_id.startswith("ipam-pool-") else "InvalidPublicIpv4PoolID"
        super().__init__(f"{kind}.NotFound", f"The pool ID '{pool_id}' does not exist")


class NotEnough(EC2ClientError):
    def __init__(self, pool_id: str) -> None:
        super().__init__("InsufficientAddressCapacity", f"Not enough available addresses in {pool_id}")


def allocate_address(self: Any) -> ActionResult:
    """From the pool that the call names, or Amazon's.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AllocateAddress.html
    """
    pool_id = self._get_param("PublicIpv4Pool") or self._get_param("IpamPoolId")
    if pool_id in (None, "amazon"):
        return _allocate(self)
    if len(_allocated(self.ec2_backend, pool_id)) >= _pool(pool_id)["addressCount"]:
        raise NotEnough(pool_id)
    answer = _allocate(self)
    address = self.ec2_backend.address_by_allocation([answer.result["AllocationId"]])[0]
    address.public_ipv4_pool = pool_id
    return ActionResult({**answer.result, "PublicIpv4Pool": pool_id})


def describe_public_ipv4_pools(self: Any) -> ActionResult:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_PublicIpv4Pool.html"""
    pools = _asked(self._get_param("PoolIds", []), "ipv4pool-")
    return ActionResult(
        {
            "PublicIpv4Pools": [
                {
                    "PoolId": each["poolId"],
                    "TotalAddressCount": each["addressCount"],
                    "TotalAvailableAddressCount": each["addressCount"]
                    - len(_allocated(self.ec2_backend, each["poolId"])),
                    "NetworkBorderGroup": self.region,
                }
                for each in pools
            ]
        }
    )


def describe_ipam_pools(self: Any) -> ActionResult:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpamPool.html"""
    pools = _asked(self._get_param("IpamPoolIds", []), "ipam-pool-")
    known = {"AddressFamily": "ipv4", "IpamScopeType": "public", "State": "create-complete", "Locale": self.region}
    return ActionResult({"IpamPools": [{"IpamPoolId": each["poolId"], **known} for each in pools]})


def get_ipam_pool_cidrs(self: Any) -> ActionResult:
    """A block of one address for each that it has: what they are does not matter here.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetIpamPoolCidrs.html
    """
    count = _pool(self._get_param("IpamPoolId"))["addressCount"]
    blocks = [f"198.51.100.{index}/32" for index in range(count)]
    return ActionResult({"IpamPoolCidrs": [{"Cidr": each, "State": "provisioned"} for each in blocks]})


def get_ipam_pool_allocations(self: Any) -> ActionResult:
    """https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetIpamPoolAllocations.html"""
    allocated = _allocated(self.ec2_backend, _pool(self._get_param("IpamPoolId"))["poolId"])
    return ActionResult(
        {
            "IpamPoolAllocations": [
                {"Cidr": f"{each.public_ip}/32", "ResourceId": each.allocation_id, "ResourceType": "eip"}
                for each in allocated
            ]
        }
    )


def _asked(ids: list[str], prefix: str) -> list[dict[str, Any]]:
    if ids:
        return [_pool(each) for each in ids]
    return [each for each in settings.pools if each["poolId"].startswith(prefix)]


def _pool(pool_id: str) -> dict[str, Any]:
    found = next((each for each in settings.pools if each["poolId"] == pool_id), None)
    if found is None:
        raise PoolNotFound(pool_id)
    return found


def _allocated(backend: Any, pool_id: str) -> list[ElasticAddress]:
    return [each for each in backend.addresses if each.public_ipv4_pool == pool_id]
