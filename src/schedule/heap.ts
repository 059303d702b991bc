/** Binary min-heap of things that are due: push and pop in O(log n), so that one timer serves ten thousand jobs. */
export interface Heap<T> {
  push(item: T): void;
  pop(): T | undefined;
  peek(): T | undefined;
}

export function createHeap<T extends { due: number }>(): Heap<T> {
  const items: T[] = [];
  const at = (index: number) => items[index] as T;
  const swap = (a: number, b: number) => {
    const held = at(a);
    items[a] = at(b);
    items[b] = held;
  };

  function push(item: T): void {
    let index = items.push(item) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (at(parent).due <= at(index).due) break;
      swap(parent, index);
      index = parent;
    }
  }

  function sink(): void {
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      if (left >= items.length) return;
      const right = left + 1;
      const child = right < items.length && at(right).due < at(left).due ? right : left;
      if (at(index).due <= at(child).due) return;
      swap(index, child);
      index = child;
    }
  }

  function pop(): T | undefined {
    const top = items[0];
    const last = items.pop();
    if (items.length > 0 && last !== undefined) {
      items[0] = last;
      sink();
    }
    return top;
  }

  return { push, pop, peek: () => items[0] };
}
