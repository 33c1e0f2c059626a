import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { closing, leftIn, opening } from "../../../automation/quiet/quiet-move.ts";
import { eventually } from "../../eventually.ts";

const quiet = { addresses: ["10.0.1.5"], port: 8080, blocks: ["10.0.0.0/16", "10.1.0.0/16"], quietSeconds: 20 };

/** A server's tools: each writes down how it was called, and tells what the test has it tell. */
class Server {
  readonly #directory = mkdtempSync(join(tmpdir(), "handover-quiet-"));
  readonly run = join(this.#directory, "run");
  readonly #bin = join(this.#directory, "bin");
  readonly #log = join(this.#directory, "log");

  constructor() {
    for (const directory of [this.run, this.#bin]) mkdirSync(directory);
    for (const tool of ["sh", "cat", "tr", "sed", "awk", "sleep", "rm", "setsid"]) this.#link(tool);
    this.tool("ip", "echo '2: eth0    inet 10.0.1.5/24 brd 10.0.1.255 scope global eth0'");
    this.tool("nft", `[ "$1" = -f ] && cat >>"${this.#log}"; [ "$1 $2" != "list table" ]`);
    this.established();
  }

  tool(name: string, does: string): void {
    const file = join(this.#bin, name);
    writeFileSync(file, `#!/bin/sh\necho ${name} "$@" >>"${this.#log}"\n${does}\n`);
    chmodSync(file, 0o755);
  }

  without(name: string): void {
    rmSync(join(this.#bin, name));
  }

  /** What `ss` shows at each look, the last one from then on: lines of connections. */
  established(...looks: string[]): void {
    const shown = join(this.#directory, "looks");
    rmSync(shown, { recursive: true, force: true });
    mkdirSync(shown);
    for (const [index, look] of looks.entries()) writeFileSync(join(shown, String(index).padStart(3, "0")), look);
    this.tool("ss", `cd "${shown}"; set -- *; [ "$1" = "*" ] && exit; cat "$1"; [ $# -gt 1 ] && rm "$1"; :`);
  }

  get calls(): string {
    return existsSync(this.#log) ? readFileSync(this.#log, "utf8") : "";
  }

  get records(): string[] {
    return readdirSync(this.run).map((file) => readFileSync(join(this.run, file), "utf8"));
  }

  /** As Systems Manager's agent runs the document. */
  async does({
    parameters,
  }: ReturnType<typeof opening>): Promise<{ exitCode: number | undefined; output: string; error: string }> {
    const script = (parameters.commands ?? []).join("\n");
    const env = { PATH: this.#bin, RUNTIME_DIRECTORY: this.run };
    const { exitCode, stdout, stderr } = await execa(join(this.#bin, "sh"), ["-c", script], {
      env,
      extendEnv: false,
      reject: false,
    });
    return { exitCode, output: stdout, error: stderr };
  }

  close(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }

  #link(tool: string): void {
    const found = ["/usr/bin", "/bin", "/usr/local/bin"]
      .map((directory) => join(directory, tool))
      .find((file) => existsSync(file));
    if (found !== undefined) symlinkSync(found, join(this.#bin, tool));
  }
}

/** A connection as `ss` shows it: times since it last sent and received, in milliseconds. */
function connection(peer: string, sent: number, received: number, more = "data_segs_out:1 data_segs_in:1"): string {
  return `0      0      10.0.1.5:8080   ${peer}\n\t cubic wscale:7,7 ${more} lastsnd:${sent} lastrcv:${received} lastack:1\n`;
}

const busy = (peer: string) => connection(peer, 90_000, 5);
const idle = (peer: string) => connection(peer, 5, 40);

describe("The script of quiet moves", () => {
  let server: Server;

  beforeEach(() => {
    server = new Server();
  });

  afterEach(() => server.close());

  it("drops what begins a connection to one address and port, and lets in whoever comes from the VPC", async () => {
    const { exitCode, error } = await server.does(closing(quiet));
    assert.deepEqual([exitCode, error], [0, ""]);
    assert.match(
      server.calls,
      /ip daddr 10\.0\.1\.5 ip saddr != \{ 10\.0\.0\.0\/16,10\.1\.0\.0\/16 \} tcp dport 8080 tcp flags & \(fin \| syn \| rst \| ack\) == syn drop/,
    );
  });

  it("takes of many addresses those of its own server for meant, there and back", async () => {
    const many = { ...quiet, addresses: ["10.0.1.4", "10.0.1.5", "10.0.1.55"] };
    const { exitCode, output } = await server.does(closing(many));
    assert.equal(exitCode, 0);
    assert.deepEqual(
      leftIn(output)?.map(({ address }) => address),
      ["10.0.1.5"],
    );
    assert.equal((await server.does(opening(many))).exitCode, 0);
    assert.doesNotMatch(server.calls, /10\.0\.1\.4|10_0_1_4|10\.0\.1\.55|10_0_1_55/);
  });

  it("says what is established, and what of it is in flight", async () => {
    server.established(idle("198.51.100.1:1000") + idle("[::ffff:198.51.100.2]:2000"));
    const { output } = await server.does(closing(quiet));
    const [left, ...others] = leftIn(output) ?? assert.fail(output);
    assert.deepEqual(others, []);
    assert.deepEqual({ ...left, milliseconds: 0 }, { address: "10.0.1.5", established: 2, busy: 0, milliseconds: 0 });
    assert.match(
      server.calls,
      /ss -Htin state established src 10\.0\.1\.5:8080 and not dst 10\.0\.0\.0\/16 and not dst 10\.1\.0\.0\/16/,
    );
  });

  for (const [what, request] of Object.entries({
    "a request that came after the last answer": busy("198.51.100.1:1000"),
    "the first request of a connection": connection("198.51.100.1:1000", 40, 40, "data_segs_in:1"),
    "an answer that is not all sent": connection("198.51.100.1:1000", 5, 40).replace(/^0 {6}0/, "0      900"),
  }))
    it(`waits for ${what}`, async () => {
      server.established(request, request, request, request, request, request, idle("198.51.100.1:1000"));
      const { output } = await server.does(closing(quiet));
      assert.equal(leftIn(output)?.[0]?.busy, 0);
      assert.equal(server.calls.match(/^ss /gm)?.length, 7);
    });

  it("does not wait for requests that came after those, on connections that are kept", async () => {
    const earlier = (index: number) => (index < 12 ? busy : idle)("198.51.100.1:1000");
    const later = (index: number) => (index < 6 ? idle : busy)("198.51.100.2:2000");
    server.established(...Array.from({ length: 20 }, (_, index) => earlier(index) + later(index)));
    const { output } = await server.does(closing(quiet));
    const [left] = leftIn(output) ?? [];
    assert.deepEqual([left?.established, left?.busy], [2, 1]);
  });

  it("waits no longer than it may, and says what was left", async () => {
    server.established(busy("198.51.100.1:1000"));
    const { exitCode, output } = await server.does(closing({ ...quiet, quietSeconds: 1 }));
    assert.deepEqual([exitCode, leftIn(output)?.[0]?.busy], [0, 1]);
  });

  it("has a timer of systemd before it has a rule, and ends an earlier one when it is run again", async () => {
    server.tool("systemd-run", ":");
    server.tool("systemctl", ":");
    await server.does(closing(quiet));
    const [first = ""] = server.records;
    assert.match(first, /^unit handover-quiet_10_0_1_5_8080-\d+$/m);
    assert.match(server.calls, /systemd-run --quiet --unit=\S+ --on-active=50s.*nft -f -/s);
    assert.doesNotMatch(server.calls, /systemctl/);
    await server.does(closing(quiet));
    const unit = first.trim().replace("unit ", "");
    assert.notEqual(server.records[0], first);
    assert.ok(server.calls.includes(`systemctl stop ${unit}.timer ${unit}.service`), server.calls);
    assert.equal(server.records.length, 1);
  });

  it("takes its rule away by itself where there is no systemd, whoever asked for it", async () => {
    const document = closing({ ...quiet, quietSeconds: 1 });
    const [set = "", ...script] = document.parameters.commands ?? [];
    const sooner = { ...document, parameters: { commands: [set.replace(/ 31$/, " 1"), ...script] } };
    assert.notEqual(sooner.parameters.commands[0], set);
    await server.does(sooner);
    assert.match(server.records[0] ?? "gone", /^process \d+$|^gone$/m);
    await eventually(async () => server.calls.includes("nft delete table ip quiet_10_0_1_5_8080"));
    await eventually(async () => server.records.length === 0);
  });

  it("takes its rule and its timer away when it is told to, also where there are none", async () => {
    server.tool("systemd-run", ":");
    server.tool("systemctl", ":");
    assert.equal((await server.does(opening(quiet))).exitCode, 0);
    await server.does(closing(quiet));
    assert.equal((await server.does(opening(quiet))).exitCode, 0);
    assert.match(server.calls, /systemctl stop .*nft delete table ip quiet_10_0_1_5_8080\n/s);
    assert.deepEqual(server.records, []);
  });

  it("says when its rule is still there", async () => {
    server.tool("nft", "exit 0");
    const { exitCode, error } = await server.does(opening(quiet));
    assert.deepEqual([exitCode, error], [1, "quiet-move: the rule of 10.0.1.5 is still there"]);
  });

  it("uses iptables where there is no nftables, with one rule however often it is run", async () => {
    server.without("nft");
    server.tool("iptables", '[ "$5" != -D ] && [ "$5" != -L ]');
    assert.equal((await server.does(closing(quiet))).exitCode, 0);
    for (const rule of [
      "-A quiet_10_0_1_5_8080 -s 10.0.0.0/16 -j RETURN",
      "-A quiet_10_0_1_5_8080 -s 10.1.0.0/16 -j RETURN",
      "-A quiet_10_0_1_5_8080 -j DROP",
      "-C PREROUTING -d 10.0.1.5 -p tcp --dport 8080 --syn -j quiet_10_0_1_5_8080",
    ])
      assert.ok(server.calls.includes(`iptables -w 5 -t raw ${rule}\n`), rule);
    assert.doesNotMatch(server.calls, /-I PREROUTING/);
    server.tool("iptables", '[ "$5" != -D ] && [ "$5" != -L ] && [ "$5" != -C ]');
    assert.equal((await server.does(closing(quiet))).exitCode, 0);
    assert.match(server.calls, /-I PREROUTING -d 10\.0\.1\.5/);
    assert.equal((await server.does(opening(quiet))).exitCode, 0);
    assert.match(server.calls, /-D PREROUTING.*-X quiet_10_0_1_5_8080/s);
  });

  it("leaves no rule and no timer where a rule is not taken", async () => {
    server.tool("systemd-run", ":");
    server.tool("systemctl", ":");
    server.tool("nft", '[ "$1" != -f ] && [ "$1 $2" != "list table" ]');
    const { exitCode, error } = await server.does(closing(quiet));
    assert.deepEqual([exitCode, error], [1, "quiet-move: nft did not take the rule"]);
    assert.match(server.calls, /systemctl stop/);
    assert.deepEqual(server.records, []);
  });

  it("holds nothing back where it cannot, and says why", async () => {
    const says = async (document = closing(quiet)) => {
      const { exitCode, error } = await server.does(document);
      assert.equal(exitCode, 1);
      return error;
    };
    assert.match(
      await says(closing({ ...quiet, addresses: ["10.0.1.6"] })),
      /10\.0\.1\.6 is not an address of this server/,
    );
    server.without("ss");
    assert.match(await says(), /no ss/);
    server.without("nft");
    assert.match(await says(), /neither nft nor iptables/);
    assert.doesNotMatch(server.calls, /-f -|systemd-run/);
    assert.deepEqual(server.records, []);
  });

  it("is given numbers, addresses and blocks, and nothing else", () => {
    for (const wrong of [
      { addresses: ["10.0.1.5; reboot"] },
      { addresses: ["$(reboot)"] },
      { blocks: ["10.0.0.0/16 }"] },
      { blocks: ["10.0.0.0"] },
    ])
      assert.throws(() => closing({ ...quiet, ...wrong }), JSON.stringify(wrong));
  });

  it("refuses whatever else it is given", async () => {
    const [, ...script] = opening(quiet).parameters.commands ?? [];
    for (const words of [
      "open 80x 10.0.1.5",
      "open 8080 'a b'",
      "open 8080",
      "shut 8080 10.0.1.5",
      "close 8080 10.0.1.5",
    ]) {
      const document = { ...opening(quiet), parameters: { commands: [`set -- ${words}`, ...script] } };
      assert.equal((await server.does(document)).exitCode, 1, words);
    }
    assert.doesNotMatch(server.calls, /delete/);
  });

  it("has nothing in it that Systems Manager would take for a parameter of its own", () => {
    assert.doesNotMatch((closing(quiet).parameters.commands ?? []).join("\n"), /\{\{/);
  });
});
