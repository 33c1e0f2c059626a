// Teaches Node the names of the sandbox's load balancers, as `NODE_OPTIONS=--import=…/resolve.mjs` or an import. On AWS a
// load balancer's name resolves to an address for each of its nodes; nothing on a machine resolves such a name without the
// rights to change its resolver, so the name says it all: `n6-127-144-0-1.elb.localhost` is six addresses from 127.144.0.1.
// Plain JavaScript, since a person's own Node may be older than the one that Handover brings.
import dns from "node:dns";
import { syncBuiltinESMExports } from "node:module";

const pattern = /^n(\d+)-(\d+)-(\d+)-(\d+)-(\d+)\.elb\.localhost$/;

/** A name's addresses in an order of their own each time, as DNS gives them; undefined for any other name. */
function addressesOf(name) {
  const [, count, a, b, c, d] = pattern.exec(name) ?? [];
  if (count === undefined) return undefined;
  const addresses = Array.from({ length: Number(count) }, (_, index) => ({
    address: `${a}.${b}.${c}.${Number(d) + index}`,
    family: 4,
  }));
  for (let left = addresses.length; left > 1; left--) {
    const other = Math.floor(Math.random() * left);
    [addresses[left - 1], addresses[other]] = [addresses[other], addresses[left - 1]];
  }
  return addresses;
}

const { lookup } = dns;
dns.lookup = (name, options, callback) => {
  const addresses = addressesOf(name);
  if (addresses === undefined) return lookup(name, options, callback);
  const done = typeof options === "function" ? options : callback;
  const all = typeof options === "object" && options?.all === true;
  const [first] = addresses;
  process.nextTick(() => (all ? done(null, addresses) : done(null, first.address, first.family)));
  return {};
};

const { lookup: lookupPromise } = dns.promises;
dns.promises.lookup = async (name, options) => {
  const addresses = addressesOf(name);
  if (addresses === undefined) return lookupPromise(name, options);
  return options?.all === true ? addresses : addresses[0];
};
syncBuiltinESMExports();
