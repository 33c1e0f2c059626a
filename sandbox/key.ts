import {
  CreateAliasCommand,
  CreateKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  KMSClient,
} from "@aws-sdk/client-kms";

const alias = "alias/handover-sandbox";

/** A stack file's statement that its secrets are encrypted with a key of KMS. */
export interface SecretsKey {
  readonly secretsprovider: string;
  /** The stack's data key, encrypted. */
  readonly encryptedkey: string;
}

/**
 * Creates the key of the sandbox's cloud that the stack's secrets are encrypted with, as many sites on AWS do.
 * https://www.pulumi.com/docs/iac/concepts/secrets/#aws-key-management-service-kms
 */
export async function createKey(region: string): Promise<SecretsKey> {
  const kms = new KMSClient({ region });
  try {
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Description: "Secrets of the sandbox's stack" }));
    await kms.send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: KeyMetadata?.KeyId }));
    const { CiphertextBlob } = await kms.send(
      new GenerateDataKeyWithoutPlaintextCommand({ KeyId: alias, NumberOfBytes: 32 }),
    );
    // Only the newer of the engine's two SDKs looks at AWS_ENDPOINT_URL.
    const secretsprovider = `awskms://${alias}?awssdk=v2`;
    return { secretsprovider, encryptedkey: Buffer.from(CiphertextBlob ?? []).toString("base64") };
  } finally {
    kms.destroy();
  }
}
