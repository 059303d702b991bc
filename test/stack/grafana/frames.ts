/** A column of a result, as Grafana's panels get it. */
export interface Field {
  readonly name: string;
  readonly type: "time" | "number" | "string" | "boolean" | "other";
  readonly labels: Readonly<Record<string, string>>;
  /** Times in epoch milliseconds. */
  readonly values: readonly unknown[];
  /** What a legend calls it, where the query says. */
  readonly shownAs?: string;
}

/** A table of a result: one for each series, or one for all rows. */
export interface Frame {
  readonly refId: string;
  readonly fields: readonly Field[];
}

/** Rows of a frame. */
export const lengthOf = ({ fields }: Frame): number => fields[0]?.values.length ?? 0;

/** How a panel names a field, its overrides included. */
export const shownName = ({ shownAs, name }: Field): string => shownAs ?? name;

/** Whether there is anything to see: a number that is one, or a text. */
export const hasValue = (frames: readonly Frame[]): boolean =>
  frames.some(({ fields }) =>
    fields.some(({ type, values }) =>
      values.some((value) => (type === "number" ? Number.isFinite(value) : type === "string" && value !== null)),
    ),
  );
