import { textOf, type ToolFields } from './tool.js';

/** Columns whose names the API leaves as they are. */
const SAME_NAMES =
  /^(?:basic_auth|dns_|accepted_|docker_|bearer_|oauth_|ping_|remote_|screenshot_|system_|created_|user_)/;

/** What the tables hold, as a backup has it. */
interface Tables {
  readonly monitors: readonly ToolFields[];
  readonly notifications: readonly ToolFields[];
  readonly proxies: readonly ToolFields[];
}

/**
 * Rows of the tables `monitor`, `notification`, `monitor_notification`, `tag`, `monitor_tag` and `proxy` in one list, as
 * `sqlite3 -json` prints them, told apart by their columns. Monitors of the API come out as they are.
 */
export function tablesOf(rows: readonly ToolFields[]): Tables {
  const having = (...columns: string[]): ToolFields[] =>
    rows.filter((row) => columns.every((column) => row.has(column)));
  const notifications = having('config', 'is_default');
  const told = groupedBy(having('monitor_id', 'notification_id'));
  const tagged = groupedBy(having('monitor_id', 'tag_id'));
  const tags = new Map(having('name', 'color').map((tag) => [textOf(tag.get('id')), tag.get('name')]));
  const proxies = having('protocol', 'host', 'auth');
  const monitors = having('type').map((row) => {
    const id = textOf(row.get('id'));
    const monitor = new Map([...row].map(([column, value]) => [apiName(column), value]));
    const own = tagged.get(id) ?? [];
    if (notifications.length > 0)
      monitor.set(
        'notificationIDList',
        (told.get(id) ?? []).map((each) => each.get('notification_id')),
      );
    if (own.length > 0)
      monitor.set(
        'tags',
        own.map((each) => ({ name: tags.get(textOf(each.get('tag_id'))), value: each.get('value') })),
      );
    return monitor;
  });
  return { monitors, notifications, proxies };
}

function groupedBy(rows: readonly ToolFields[]): Map<string, ToolFields[]> {
  const groups = new Map<string, ToolFields[]>();
  for (const row of rows) {
    const id = textOf(row.get('monitor_id'));
    const group = groups.get(id);
    if (group === undefined) groups.set(id, [row]);
    else group.push(row);
  }
  return groups;
}

function apiName(column: string): string {
  return SAME_NAMES.test(column)
    ? column
    : column.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
