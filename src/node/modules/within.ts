/** Waits for work, at most so many milliseconds; rejects with `late` as its message after that. The work itself goes on. */
export async function within<T>(work: T | Promise<T>, milliseconds: number, late: string): Promise<T> {
  if (!(work instanceof Promise)) return work;
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(late)), milliseconds);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
