import { FieldColorModeId } from "@grafana/grafana-foundation-sdk/dashboard";
import * as geomap from "@grafana/grafana-foundation-sdk/geomap";
import { finish, type PanelOptions, type Tile } from "./panels.ts";

/** Markers of one query, whose rows have `lat` and `lon`. */
export interface Layer {
  readonly name: string;
  /** Letter of the query. */
  readonly query: string;
  /** Marks are coloured by this field; otherwise all alike. */
  readonly colorBy?: string;
  readonly color?: string;
  /** Written beside each mark. */
  readonly label?: string;
  /** In pixels. */
  readonly size: number;
  readonly symbol: "circle" | "square" | "triangle" | "cross";
}

interface MapOptions extends PanelOptions {
  readonly layers: readonly Layer[];
}

/** A map that shows all of its marks; hovering tells a mark's row. */
export function map({ layers, ...options }: MapOptions): Tile {
  const view = new geomap.MapViewConfigBuilder().id(geomap.MapCenterID.Fit).lat(0).lon(0).zoom(12).allLayers(true);
  const builder = new geomap.PanelBuilder()
    .view(view.maxZoom(15).padding(10))
    .basemap({ build: () => ({ type: "default", name: "Base map", config: {} }) })
    .controls(
      new geomap.ControlsOptionsBuilder().showZoom(true).mouseWheelZoom(true).showAttribution(true).showScale(true),
    )
    .tooltip(new geomap.TooltipOptionsBuilder().mode(geomap.TooltipMode.Details))
    .layers(layers.map((layer) => ({ build: () => markers(layer) })));
  return finish(builder, options, { color: { mode: FieldColorModeId.Thresholds } });
}

function markers({ name, query, color = "blue", colorBy, label, size, symbol }: Layer) {
  return {
    ...{ type: "markers", name, tooltip: true, opacity: 1, filterData: { id: "byRefId", options: query } },
    location: { mode: "coords" as never, latitude: "lat", longitude: "lon" },
    config: {
      showLegend: false,
      style: {
        color: colorBy === undefined ? { fixed: color } : { field: colorBy, fixed: color },
        size: { fixed: size, min: size, max: size },
        symbol: { fixed: `img/icons/marker/${symbol}.svg`, mode: "fixed" },
        opacity: 0.8,
        ...(label === undefined ? {} : { text: { field: label, fixed: "", mode: "field" } }),
        textConfig: { fontSize: 12, offsetX: 0, offsetY: 14, textAlign: "center", textBaseline: "middle" },
      },
    },
  };
}
