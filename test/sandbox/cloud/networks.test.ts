import assert from "node:assert/strict";
import {
  AllocateAddressCommand,
  AssociateAddressCommand,
  AssociateRouteTableCommand,
  AttachInternetGatewayCommand,
  AuthorizeSecurityGroupIngressCommand,
  CreateInternetGatewayCommand,
  CreateRouteTableCommand,
  DeleteInternetGatewayCommand,
  DeleteRouteTableCommand,
  DeleteSecurityGroupCommand,
  DeleteSubnetCommand,
  DeleteVpcCommand,
  DescribeSubnetsCommand,
  DetachInternetGatewayCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { DeleteLoadBalancerCommand } from "@aws-sdk/client-elastic-load-balancing-v2";
import { cloudForTests, errorCode, type TestCloud } from "../support.ts";
import { launch, loadBalancer, network, reaches, running, securityGroup } from "./world.ts";

describe("The cloud's networks", () => {
  let cloud: TestCloud;
  before(async () => {
    cloud = await cloudForTests();
  });
  after(() => cloud.stop());

  const deleteGroup = (GroupId: string) => errorCode(cloud.ec2.send(new DeleteSecurityGroupCommand({ GroupId })));
  const deleteSubnet = (SubnetId: string) => errorCode(cloud.ec2.send(new DeleteSubnetCommand({ SubnetId })));
  const deleteVpc = (VpcId: string) => errorCode(cloud.ec2.send(new DeleteVpcCommand({ VpcId })));

  it("keep a security group and a subnet that an instance uses until it is terminated", async () => {
    const { subnetIds, securityGroupId } = await network(cloud.ec2);
    const { InstanceId } = await launch(cloud.ec2, { SubnetId: subnetIds[0], SecurityGroupIds: [securityGroupId] });
    assert.equal(await deleteGroup(securityGroupId), "DependencyViolation");
    assert.equal(await deleteSubnet(subnetIds[0]), "DependencyViolation");
    await cloud.ec2.send(new TerminateInstancesCommand({ InstanceIds: [InstanceId ?? ""] }));
    await reaches(cloud.ec2, InstanceId, "terminated");
    assert.equal(await deleteGroup(securityGroupId), "none");
    assert.equal(await deleteSubnet(subnetIds[0]), "none");
  });

  it("keep a security group and a subnet that a load balancer uses", async () => {
    const world = await network(cloud.ec2);
    const LoadBalancerArn = await loadBalancer(cloud.elb, world);
    assert.equal(await deleteGroup(world.securityGroupId), "DependencyViolation");
    assert.equal(await deleteSubnet(world.subnetIds[1]), "DependencyViolation");
    await cloud.elb.send(new DeleteLoadBalancerCommand({ LoadBalancerArn }));
    assert.equal(await deleteGroup(world.securityGroupId), "none");
    assert.equal(await deleteSubnet(world.subnetIds[1]), "none");
  });

  it("keep a security group that another one's rule names", async () => {
    const { vpcId, securityGroupId } = await network(cloud.ec2);
    const other = await securityGroup(cloud.ec2, vpcId);
    const permission = { IpProtocol: "tcp", FromPort: 80, ToPort: 80, UserIdGroupPairs: [{ GroupId: other }] };
    await cloud.ec2.send(
      new AuthorizeSecurityGroupIngressCommand({ GroupId: securityGroupId, IpPermissions: [permission] }),
    );
    assert.equal(await deleteGroup(other), "DependencyViolation");
    assert.equal(await deleteGroup(securityGroupId), "none");
    assert.equal(await deleteGroup(other), "none");
  });

  it("keep their VPC while a subnet, a group or a gateway is in it", async () => {
    const { vpcId, subnetIds, securityGroupId } = await network(cloud.ec2);
    const { InternetGateway } = await cloud.ec2.send(new CreateInternetGatewayCommand({}));
    const gateway = { InternetGatewayId: InternetGateway?.InternetGatewayId, VpcId: vpcId };
    await cloud.ec2.send(new AttachInternetGatewayCommand(gateway));
    assert.equal(await deleteVpc(vpcId), "DependencyViolation");
    for (const subnetId of subnetIds) assert.equal(await deleteSubnet(subnetId), "none");
    assert.equal(await deleteVpc(vpcId), "DependencyViolation");
    assert.equal(await deleteGroup(securityGroupId), "none");
    assert.equal(await deleteVpc(vpcId), "DependencyViolation");
    assert.equal(await errorCode(cloud.ec2.send(new DeleteInternetGatewayCommand(gateway))), "DependencyViolation");
    await cloud.ec2.send(new DetachInternetGatewayCommand(gateway));
    assert.equal(await deleteVpc(vpcId), "none");
  });

  it("keep the gateway through which a public address is reached", async () => {
    const { vpcId, subnetIds } = await network(cloud.ec2);
    const { InternetGateway } = await cloud.ec2.send(new CreateInternetGatewayCommand({}));
    const gateway = { InternetGatewayId: InternetGateway?.InternetGatewayId, VpcId: vpcId };
    await cloud.ec2.send(new AttachInternetGatewayCommand(gateway));
    const { InstanceId } = await running(cloud.ec2, { SubnetId: subnetIds[0] });
    const { AllocationId } = await cloud.ec2.send(new AllocateAddressCommand({ Domain: "vpc" }));
    await cloud.ec2.send(new AssociateAddressCommand({ AllocationId, InstanceId }));
    const detach = () => errorCode(cloud.ec2.send(new DetachInternetGatewayCommand(gateway)));
    assert.equal(await detach(), "DependencyViolation");
    await cloud.ec2.send(new TerminateInstancesCommand({ InstanceIds: [InstanceId ?? ""] }));
    assert.equal(await detach(), "none");
  });

  it("drop a subnet's route table association with the subnet", async () => {
    const { vpcId, subnetIds } = await network(cloud.ec2);
    const { RouteTable } = await cloud.ec2.send(new CreateRouteTableCommand({ VpcId: vpcId }));
    const RouteTableId = RouteTable?.RouteTableId;
    await cloud.ec2.send(new AssociateRouteTableCommand({ RouteTableId, SubnetId: subnetIds[0] }));
    const remove = () => errorCode(cloud.ec2.send(new DeleteRouteTableCommand({ RouteTableId })));
    assert.equal(await remove(), "DependencyViolation");
    assert.equal(await deleteSubnet(subnetIds[0]), "none");
    assert.equal(await remove(), "none");
  });

  it("have availability zones of every region", async () => {
    for (const region of ["eu-central-1", "sa-east-1", "ap-southeast-2"]) {
      const { ec2 } = cloud.clients({ region });
      const { subnetIds } = await network(ec2, region);
      const { Subnets } = await ec2.send(new DescribeSubnetsCommand({ SubnetIds: [...subnetIds] }));
      assert.deepEqual(Subnets?.map(({ AvailabilityZone }) => AvailabilityZone).sort(), [`${region}a`, `${region}b`]);
    }
  });
});
