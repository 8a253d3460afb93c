import { it } from 'vitest';
import { hostsPage, hostsTable } from '../support/hosts-table.js';
import { expectDocument, withSection } from '../support/made-documents.js';

it('docs/hosts.md says what the table of hosts says', () => expectDocument('docs/hosts.md', hostsPage));

it('docs/staying-awake.md says what the table of hosts says', () =>
  expectDocument('docs/staying-awake.md', (before) =>
    withSection(before, 'lib/rules/host-rows', hostsTable()),
  ));
