// What a script is told, and how it answers. The names are those of tests/tests/interop/process.rs.
import { readFileSync } from "node:fs";

/** A value that the test must give. */
export function setting(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} must be set`);
  return value;
}

/** The key of the account that acts, from the file that the test names. */
export function key() {
  return readFileSync(setting("PEER_KEY_FILE"), "utf8").trim();
}

/** The call that a buyer is to make. */
export function call() {
  return {
    url: setting("PEER_URL"),
    method: setting("PEER_METHOD"),
    body: process.env.PEER_BODY || undefined,
  };
}

/** Prints what came back: one line of JSON. */
export function report(status, headers, body) {
  const header = ["payment-response", "x-payment-response"].find((name) => headers.get(name));
  const receipt = header ? JSON.parse(Buffer.from(headers.get(header), "base64")) : null;
  console.log(JSON.stringify({ status, body, header: header ?? null, receipt }));
}

/** Listens on a free port of this machine and says so, until its owner is gone. */
export function listen(app) {
  process.stdin.on("end", () => process.exit()).resume();
  const server = app.listen(0, "127.0.0.1", (error) => {
    if (error) throw error;
    console.log(`ready http://127.0.0.1:${server.address().port}`);
  });
}
