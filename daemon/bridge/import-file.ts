// A module of the user's, by its URL. In a file of its own: what V8 keeps compiled (daemon/start/) cannot import.

/** As `import()` does. */
export function importFile(url: string): Promise<object> {
  return import(url);
}
