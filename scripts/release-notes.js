// Prints what CHANGELOG.md says of a version: `node scripts/release-notes.js 0.1.0`.
import console from 'node:console';
import { readFileSync } from 'node:fs';
import process from 'node:process';

const [version = ''] = process.argv.slice(2);
const { version: current } = JSON.parse(readFileSync('package.json', 'utf8'));
const sections = readFileSync('CHANGELOG.md', 'utf8').split(/^## /m).slice(1);
const section = sections.find((text) => text.split(/\s/, 1)[0] === version);

if (version !== current) {
  console.error(`package.json has version ${current}, not ${version}.`);
  process.exitCode = 1;
} else if (section === undefined) {
  console.error(`CHANGELOG.md has no heading "## ${version}".`);
  process.exitCode = 1;
} else {
  console.log(section.slice(section.indexOf('\n')).trim());
}
