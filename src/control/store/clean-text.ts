import type { CompiledQuery, DatabaseConnection, Dialect, Driver } from 'kysely';

const suspicious = /[\0\ud800-\udfff]/;

/**
 * Text as every SQL store holds it: U+FFFD in place of NUL, which Postgres refuses and others take for the end, and of surrogates that
 * stand alone, which have no form in UTF-8.
 */
export function cleanText(text: string): string {
  return suspicious.test(text) ? Buffer.from(text).toString().replaceAll('\0', '\ufffd') : text;
}

/** The dialect, with the text of all parameters cleaned: of what is written, and of what is looked for. */
export function cleaningText(dialect: Dialect): Dialect {
  return {
    createAdapter: () => dialect.createAdapter(),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createDriver: () => cleaningDriver(dialect.createDriver()),
  };
}

/** A connection stays the object that its driver knows. */
function cleaningDriver(driver: Driver): Driver {
  const cleaned = new WeakSet<DatabaseConnection>();
  const acquire = driver.acquireConnection.bind(driver);
  driver.acquireConnection = async () => {
    const connection = await acquire();
    if (cleaned.has(connection)) return connection;
    cleaned.add(connection);
    const { executeQuery, streamQuery } = connection;
    connection.executeQuery = (query) => executeQuery.call(connection, clean(query)) as never;
    connection.streamQuery = (query, chunkSize) => streamQuery.call(connection, clean(query), chunkSize) as never;
    return connection;
  };
  return driver;
}

function clean<T extends CompiledQuery>(query: T): T {
  const { parameters } = query;
  if (!parameters.some((value) => typeof value === 'string' && suspicious.test(value))) return query;
  return { ...query, parameters: parameters.map((value) => (typeof value === 'string' ? cleanText(value) : value)) };
}
