/** Names of the provider's tables, quoted for SQL. */
export interface Tables {
  readonly jobs: string;
}

export function tablesOf(tableName: string): Tables {
  return { jobs: `"${tableName.replaceAll('"', '""')}"` };
}
