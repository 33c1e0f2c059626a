import { DescribeInstanceTypesCommand, type InstanceTypeInfo } from "@aws-sdk/client-ec2";
import type * as aws from "@pulumi/aws";
import { string } from "../fields.ts";
import { providerFunction } from "./function.ts";

export const getInstanceType = providerFunction<aws.ec2.GetInstanceTypeArgs, aws.ec2.GetInstanceTypeResult>({
  fields: { instanceType: string({ required: true }) },

  async invoke({ instanceType }, cloud) {
    const command = new DescribeInstanceTypesCommand({ InstanceTypes: [instanceType as "t3.small"] });
    const found = (await cloud.ec2.send(command)).InstanceTypes?.[0];
    if (found === undefined) throw new Error(`There is no instance type ${instanceType}.`);
    return {
      ...processor(found),
      ...memoryAndDisks(found),
      ...network(found),
      ...accelerators(found),
      autoRecoverySupported: found.AutoRecoverySupported ?? false,
      bareMetal: found.BareMetal ?? false,
      bootModes: found.SupportedBootModes ?? [],
      burstablePerformanceSupported: found.BurstablePerformanceSupported ?? false,
      currentGeneration: found.CurrentGeneration ?? false,
      dedicatedHostsSupported: found.DedicatedHostsSupported ?? false,
      freeTierEligible: found.FreeTierEligible ?? false,
      hibernationSupported: found.HibernationSupported ?? false,
      hypervisor: found.Hypervisor ?? "",
      id: instanceType,
      nitroEnclavesSupport: found.NitroEnclavesSupport ?? "",
      nitroTpmSupport: found.NitroTpmSupport ?? "",
      nitroTpmSupportedVersions: found.NitroTpmInfo?.SupportedVersions ?? [],
      phcSupport: found.PhcSupport ?? "",
      supportedPlacementStrategies: found.PlacementGroupInfo?.SupportedStrategies ?? [],
      supportedRootDeviceTypes: found.SupportedRootDeviceTypes ?? [],
      supportedUsagesClasses: found.SupportedUsageClasses ?? [],
      supportedVirtualizationTypes: found.SupportedVirtualizationTypes ?? [],
    };
  },
});

function processor({ ProcessorInfo: processor, VCpuInfo: cpus }: InstanceTypeInfo) {
  return {
    defaultCores: cpus?.DefaultCores ?? 0,
    defaultThreadsPerCore: cpus?.DefaultThreadsPerCore ?? 0,
    defaultVcpus: cpus?.DefaultVCpus ?? 0,
    supportedArchitectures: processor?.SupportedArchitectures ?? [],
    supportedCpuFeatures: processor?.SupportedFeatures ?? [],
    sustainedClockSpeed: processor?.SustainedClockSpeedInGhz ?? 0,
    validCores: cpus?.ValidCores ?? [],
    validThreadsPerCores: cpus?.ValidThreadsPerCore ?? [],
  };
}

function memoryAndDisks({ EbsInfo: ebs, InstanceStorageInfo: storage, ...found }: InstanceTypeInfo) {
  const performance = ebs?.EbsOptimizedInfo;
  return {
    ebsEncryptionSupport: ebs?.EncryptionSupport ?? "",
    ebsNvmeSupport: ebs?.NvmeSupport ?? "",
    ebsOptimizedSupport: ebs?.EbsOptimizedSupport ?? "",
    ebsPerformanceBaselineBandwidth: performance?.BaselineBandwidthInMbps ?? 0,
    ebsPerformanceBaselineIops: performance?.BaselineIops ?? 0,
    ebsPerformanceBaselineThroughput: performance?.BaselineThroughputInMBps ?? 0,
    ebsPerformanceMaximumBandwidth: performance?.MaximumBandwidthInMbps ?? 0,
    ebsPerformanceMaximumIops: performance?.MaximumIops ?? 0,
    ebsPerformanceMaximumThroughput: performance?.MaximumThroughputInMBps ?? 0,
    instanceDisks: (storage?.Disks ?? []).map(({ Count: count = 0, SizeInGB: size = 0, Type: type = "" }) => ({
      count,
      size,
      type,
    })),
    instanceStorageSupported: found.InstanceStorageSupported ?? false,
    memorySize: found.MemoryInfo?.SizeInMiB ?? 0,
    totalInstanceStorage: storage?.TotalSizeInGB ?? 0,
  };
}

function network({ NetworkInfo: info }: InstanceTypeInfo) {
  return {
    bandwidthWeightings: info?.BandwidthWeightings ?? [],
    defaultNetworkCardIndex: info?.DefaultNetworkCardIndex ?? 0,
    efaMaximumInterfaces: info?.EfaInfo?.MaximumEfaInterfaces ?? 0,
    efaSupported: info?.EfaSupported ?? false,
    enaSrdSupported: info?.EnaSrdSupported ?? false,
    enaSupport: info?.EnaSupport ?? "",
    encryptionInTransitSupported: info?.EncryptionInTransitSupported ?? false,
    ipv6Supported: info?.Ipv6Supported ?? false,
    maximumIpv4AddressesPerInterface: info?.Ipv4AddressesPerInterface ?? 0,
    maximumIpv6AddressesPerInterface: info?.Ipv6AddressesPerInterface ?? 0,
    maximumNetworkCards: info?.MaximumNetworkCards ?? 0,
    maximumNetworkInterfaces: info?.MaximumNetworkInterfaces ?? 0,
    networkCards: (info?.NetworkCards ?? []).map((card) => ({
      baselineBandwidth: card.BaselineBandwidthInGbps ?? 0,
      index: card.NetworkCardIndex ?? 0,
      maximumInterfaces: card.MaximumNetworkInterfaces ?? 0,
      peakBandwidth: card.PeakBandwidthInGbps ?? 0,
      performance: card.NetworkPerformance ?? "",
    })),
    networkPerformance: info?.NetworkPerformance ?? "",
  };
}

function accelerators(found: InstanceTypeInfo) {
  const chip = ({ Count: count = 0, Manufacturer: manufacturer = "", Name: name = "" }: Chip) => ({
    count,
    manufacturer,
    name,
  });
  const memory = ({ MemoryInfo }: Chip) => MemoryInfo?.SizeInMiB ?? 0;
  return {
    fpgas: (found.FpgaInfo?.Fpgas ?? []).map((each) => ({ ...chip(each), memorySize: memory(each) })),
    gpuses: (found.GpuInfo?.Gpus ?? []).map((each) => ({ ...chip(each), memorySize: memory(each) })),
    inferenceAccelerators: (found.InferenceAcceleratorInfo?.Accelerators ?? []).map((each) => ({
      ...chip(each),
      memorySize: memory(each),
    })),
    mediaAccelerators: (found.MediaAcceleratorInfo?.Accelerators ?? []).map((each) => ({
      ...chip(each),
      memorySize: memory(each),
    })),
    neuronDevices: (found.NeuronInfo?.NeuronDevices ?? []).map((device) => ({
      coreCount: device.CoreInfo?.Count ?? 0,
      coreVersion: device.CoreInfo?.Version ?? 0,
      count: device.Count ?? 0,
      memorySize: memory(device),
      name: device.Name ?? "",
    })),
    totalFpgaMemory: found.FpgaInfo?.TotalFpgaMemoryInMiB ?? 0,
    totalGpuMemory: found.GpuInfo?.TotalGpuMemoryInMiB ?? 0,
    totalInferenceMemory: found.InferenceAcceleratorInfo?.TotalInferenceMemoryInMiB ?? 0,
    totalMediaMemory: found.MediaAcceleratorInfo?.TotalMediaMemoryInMiB ?? 0,
    totalNeuronDeviceMemory: found.NeuronInfo?.TotalNeuronDeviceMemoryInMiB ?? 0,
  };
}

interface Chip {
  readonly Count?: number;
  readonly Manufacturer?: string;
  readonly MemoryInfo?: { readonly SizeInMiB?: number };
  readonly Name?: string;
}
