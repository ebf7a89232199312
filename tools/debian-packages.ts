import { spawn } from "node:child_process";

/** Peers and judges that Debian ships. As root they are installed; anybody else is told how. */
export async function installDebianPackages(names: readonly string[]): Promise<void> {
  const missing: string[] = [];
  for (const name of names) if (!(await isInstalled(name))) missing.push(name);
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0) {
    throw new Error(`Debian packages are missing. Run: sudo apt-get install ${missing.join(" ")}`);
  }
  console.log(`Installing Debian packages: ${missing.join(" ")}`);
  const apt = ["-o", "DPkg::Lock::Timeout=400", "-q", "-y", "--no-install-recommends"];
  await run("apt-get", [...apt, "update"]);
  if (!(await run("apt-get", [...apt, "install", ...missing]))) {
    throw new Error(`apt-get could not install ${missing.join(" ")}; its words are above`);
  }
}

/** Only what went wrong is shown; `RUNLEVEL=1` tells invoke-rc.d not to start the services. */
function run(program: string, args: string[]): Promise<boolean> {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", RUNLEVEL: "1" };
  const child = spawn(program, args, { env, stdio: ["ignore", "ignore", "inherit"] });
  return new Promise((resolve) => {
    child.on("error", () => resolve(false));
    child.on("close", (code) => resolve(code === 0));
  });
}

function isInstalled(name: string): Promise<boolean> {
  const child = spawn("dpkg-query", ["-W", "-f=${Status}", name], { stdio: ["ignore", "pipe", "ignore"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve) => {
    child.on("error", () => resolve(false));
    child.on("close", () => resolve(output.endsWith("ok installed")));
  });
}
