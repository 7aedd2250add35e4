// Runs all checks, and prints the faults as JSON. The target is the first argument.
import { checks, run } from "./checks.js";

const target = JSON.parse(process.argv[2]!);
const faults: string[] = [];
for (const name of Object.keys(checks)) faults.push(await run(name, target));
console.log(JSON.stringify(faults.filter(Boolean)));
process.exit(0);
