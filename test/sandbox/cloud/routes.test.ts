import assert from "node:assert/strict";
import {
  AllocateAddressCommand,
  AssociateAddressCommand,
  AssociateRouteTableCommand,
  AttachInternetGatewayCommand,
  CreateInternetGatewayCommand,
  CreateNatGatewayCommand,
  CreateRouteCommand,
  type CreateRouteCommandInput,
  CreateRouteTableCommand,
  DeleteNatGatewayCommand,
  DescribeAddressesCommand,
  DescribeNatGatewaysCommand,
  DescribeRouteTablesCommand,
  DetachInternetGatewayCommand,
  DisassociateRouteTableCommand,
} from "@aws-sdk/client-ec2";
import type { CloudState } from "../../../sandbox/network/state.ts";
import { cloudForTests, errorCode, eventually, type TestCloud } from "../support.ts";
import { network, running, type World } from "./world.ts";

describe("The cloud's routes", () => {
  let cloud: TestCloud;
  let world: World;
  before(async () => {
    cloud = await cloudForTests();
  });
  after(() => cloud.stop());
  beforeEach(async () => {
    world = await network(cloud.ec2);
  });

  const table = async () =>
    (await cloud.ec2.send(new CreateRouteTableCommand({ VpcId: world.vpcId }))).RouteTable?.RouteTableId ?? "";
  const mainTable = async () => {
    const Filters = [
      { Name: "vpc-id", Values: [world.vpcId] },
      { Name: "association.main", Values: ["true"] },
    ];
    const { RouteTables } = await cloud.ec2.send(new DescribeRouteTablesCommand({ Filters }));
    return RouteTables?.[0]?.RouteTableId ?? "";
  };
  const route = (RouteTableId: string, target: Partial<CreateRouteCommandInput>) =>
    cloud.ec2.send(new CreateRouteCommand({ RouteTableId, DestinationCidrBlock: "0.0.0.0/0", ...target }));
  const stateOf = async (RouteTableId: string) => {
    const command = new DescribeRouteTablesCommand({ RouteTableIds: [RouteTableId] });
    const { RouteTables } = await cloud.ec2.send(command);
    return RouteTables?.[0]?.Routes?.find(({ DestinationCidrBlock }) => DestinationCidrBlock === "0.0.0.0/0")?.State;
  };
  const internetGateway = async () => {
    const { InternetGateway } = await cloud.ec2.send(new CreateInternetGatewayCommand({}));
    const gateway = { InternetGatewayId: InternetGateway?.InternetGatewayId ?? "", VpcId: world.vpcId };
    await cloud.ec2.send(new AttachInternetGatewayCommand(gateway));
    return gateway;
  };
  const natGateway = async (SubnetId = world.subnetIds[0]) => {
    const { AllocationId, PublicIp = "" } = await cloud.ec2.send(new AllocateAddressCommand({ Domain: "vpc" }));
    const { NatGateway } = await cloud.ec2.send(new CreateNatGatewayCommand({ SubnetId, AllocationId }));
    return { id: NatGateway?.NatGatewayId ?? "", publicIp: PublicIp, allocationId: AllocationId ?? "" };
  };
  const describeNat = async (id: string) =>
    (await cloud.ec2.send(new DescribeNatGatewaysCommand({ NatGatewayIds: [id] }))).NatGateways?.[0];
  const defaultRouteOf = async (subnetId: string) => {
    const { subnets } = (await cloud.control("GET", "state?after=-1")) as CloudState;
    return subnets.find(({ id }) => id === subnetId)?.defaultRoute;
  };

  it("are those of a subnet's own table, or else of its network's main one", async () => {
    const [own, other] = world.subnetIds;
    const [gateway, nat] = [await internetGateway(), await natGateway()];
    assert.equal(await defaultRouteOf(own), null);
    await route(await mainTable(), { GatewayId: gateway.InternetGatewayId });
    const RouteTableId = await table();
    await route(RouteTableId, { NatGatewayId: nat.id });
    const { AssociationId } = await cloud.ec2.send(new AssociateRouteTableCommand({ RouteTableId, SubnetId: own }));
    assert.deepEqual(await defaultRouteOf(own), { target: nat.id, publicIp: nat.publicIp });
    assert.deepEqual(await defaultRouteOf(other), { target: gateway.InternetGatewayId, publicIp: null });
    await cloud.ec2.send(new DisassociateRouteTableCommand({ AssociationId }));
    assert.equal((await defaultRouteOf(own))?.target, gateway.InternetGatewayId);
  });

  it("of a subnet are of one table at a time", async () => {
    const [SubnetId] = world.subnetIds;
    const [first, second] = [await table(), await table()];
    const associate = (RouteTableId: string) =>
      cloud.ec2.send(new AssociateRouteTableCommand({ RouteTableId, SubnetId }));
    const { AssociationId } = await associate(first);
    assert.equal((await associate(first)).AssociationId, AssociationId);
    assert.equal(await errorCode(associate(second)), "Resource.AlreadyAssociated");
  });

  it("lead nowhere when their internet gateway is detached", async () => {
    const gateway = await internetGateway();
    const main = await mainTable();
    await route(main, { GatewayId: gateway.InternetGatewayId });
    assert.equal(await stateOf(main), "active");
    await cloud.ec2.send(new DetachInternetGatewayCommand(gateway));
    assert.equal(await stateOf(main), "blackhole");
    assert.equal(await defaultRouteOf(world.subnetIds[0]), null);
  });

  it("lead nowhere when their NAT gateway is deleted, whose Elastic IP is free again", async () => {
    const nat = await natGateway();
    const main = await mainTable();
    await route(main, { NatGatewayId: nat.id });
    assert.equal(await stateOf(main), "active");
    await cloud.ec2.send(new DeleteNatGatewayCommand({ NatGatewayId: nat.id }));
    assert.equal(await stateOf(main), "blackhole");
    await eventually(async () => (await describeNat(nat.id))?.State === "deleted", "the gateway is deleted");
    const { Addresses } = await cloud.ec2.send(new DescribeAddressesCommand({ AllocationIds: [nat.allocationId] }));
    assert.equal(Addresses?.[0]?.AssociationId, undefined);
    assert.equal(await errorCode(route(await table(), { NatGatewayId: "nat-0" })), "NatGatewayNotFound");
  });

  it("through a NAT gateway go out by its Elastic IP; it has a private address of its subnet", async () => {
    const nat = await natGateway();
    assert.equal((await describeNat(nat.id))?.State, "pending");
    await eventually(async () => (await describeNat(nat.id))?.State === "available", "the gateway is available");
    const [address] = (await describeNat(nat.id))?.NatGatewayAddresses ?? [];
    assert.deepEqual([address?.PublicIp, address?.AllocationId], [nat.publicIp, nat.allocationId]);
    assert.match(address?.PrivateIp ?? "", /^127\.64\.[0-3]\./);
    const taken = await errorCode(
      cloud.ec2.send(new CreateNatGatewayCommand({ SubnetId: world.subnetIds[1], AllocationId: nat.allocationId })),
    );
    assert.equal(taken, "Resource.AlreadyAssociated");
  });

  it("through an instance go out by its public address", async () => {
    const [SubnetId, behind] = world.subnetIds;
    const instance = await running(cloud.ec2, { SubnetId });
    const { AllocationId, PublicIp } = await cloud.ec2.send(new AllocateAddressCommand({ Domain: "vpc" }));
    await cloud.ec2.send(new AssociateAddressCommand({ AllocationId, InstanceId: instance.InstanceId }));
    const NetworkInterfaceId = instance.NetworkInterfaces?.[0]?.NetworkInterfaceId;
    const RouteTableId = await table();
    await route(RouteTableId, { NetworkInterfaceId });
    await cloud.ec2.send(new AssociateRouteTableCommand({ RouteTableId, SubnetId: behind }));
    assert.deepEqual(await defaultRouteOf(behind), { target: NetworkInterfaceId, publicIp: PublicIp });
  });

  it("tell with each instance its subnet and its public address", async () => {
    const NetworkInterfaces = [{ DeviceIndex: 0, SubnetId: world.subnetIds[0], AssociatePublicIpAddress: true }];
    const { InstanceId, PublicIpAddress } = await running(cloud.ec2, { NetworkInterfaces });
    const { instances } = (await cloud.control("GET", "state?after=-1")) as CloudState;
    const found = instances.find(({ id }) => id === InstanceId);
    assert.deepEqual([found?.subnetId, found?.publicIp], [world.subnetIds[0], PublicIpAddress]);
  });
});
