/** What became of reported alerts: no notification at all, nowhere to keep them now, or how many were taken and left out. */
export type AlertReceipt =
  | { readonly status: "unreadable" }
  | { readonly status: "not_kept" }
  | { readonly status: "kept"; readonly accepted: number; readonly rejected: Readonly<Record<string, number>> };
