/** Waits for work, at most so many milliseconds; rejects with `late` as its message after that. The work itself goes on. */
export function within<T>(work: T | Promise<T>, milliseconds: number, late: string): Promise<T> {
  if (!(work instanceof Promise)) return Promise.resolve(work);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(late)), milliseconds);
    work.then(
      value => {
        clearTimeout(timer);
        resolve(value);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error as Error);
      },
    );
  });
}
