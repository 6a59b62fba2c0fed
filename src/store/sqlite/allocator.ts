/**
 * Has glibc return to the system what was freed between pieces that are still in use (docs/adr/027). It does so by itself
 * only at the end of a heap, and nothing in Node can ask for it.
 *
 * `malloc_trim(3)` takes a number of bytes to keep at the end of the main heap, is safe to call from any thread, and returns
 * 1 if it returned anything. SQLite calls the entry point of an extension with pointers, of which the first comes to that
 * number (so the end of the main heap stays), and takes anything but 0 for a failure to start.
 */
import Database from 'better-sqlite3'

/** What it takes: half a millisecond when there is nothing, a quarter of one a MiB. Elsewhere than with glibc it does nothing. */
export function returnFreedMemory(): void {
  if (process.platform !== 'linux') return
  const loader = new Database(':memory:')
  // Its types leave the entry point out.
  const load: (file: string, entryPoint: string) => unknown = loader.loadExtension.bind(loader)
  try {
    load('libc.so.6', 'malloc_trim')
  } catch {
    // It has returned something, or there is no such library.
  } finally {
    loader.close()
  }
}
