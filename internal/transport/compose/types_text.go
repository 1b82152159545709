package compose

// textType is that of what people read in an editor, and programs exchange.
func textType(ending string) string {
	switch ending {
	case "txt", "text", "srt", "log", "conf", "ini", "cfg":
		return "text/plain"
	case "csv":
		return "text/csv"
	case "tsv":
		return "text/tab-separated-values"
	case "md", "markdown":
		return "text/markdown"
	case "html", "htm":
		return "text/html"
	case "xhtml", "xht":
		return "application/xhtml+xml"
	case "xml", "xsd":
		return "application/xml"
	case "xsl", "xslt":
		return "application/xslt+xml"
	case "dtd":
		return "application/xml-dtd"
	case "json":
		return "application/json"
	case "ics", "ifb":
		return "text/calendar"
	case "vcf", "vcard":
		return "text/vcard"
	case "css":
		return "text/css"
	case "js", "mjs":
		return "text/javascript"
	case "sql":
		return "application/sql"
	case "tex":
		return "text/x-tex"
	case "latex":
		return "application/x-latex"
	case "bib":
		return "text/x-bibtex"
	case "vtt":
		return "text/vtt"
	case "atom":
		return "application/atom+xml"
	case "rdf":
		return "application/rdf+xml"
	case "ttl":
		return "text/turtle"
	case "geojson":
		return "application/geo+json"
	case "diff", "patch":
		return "text/x-diff"
	case "yaml", "yml":
		return "application/yaml"
	case "toml":
		return "application/toml"
	case "ovpn":
		return "application/x-openvpn-profile"
	case "edi", "edifact":
		return "application/edifact"
	case "x12":
		return "application/edi-x12"
	case "rss":
		return "application/rss+xml"
	}
	return ""
}

// drawingType is that of what is built, mapped and measured.
func drawingType(ending string) string {
	switch ending {
	case "dwg":
		return "image/vnd.dwg"
	case "dxf":
		return "image/vnd.dxf"
	case "dwf":
		return "model/vnd.dwf"
	case "step", "stp":
		return "model/step"
	case "iges", "igs":
		return "model/iges"
	case "stl":
		return "model/stl"
	case "obj":
		return "model/obj"
	case "3mf":
		return "application/vnd.ms-3mfdocument"
	case "ifc":
		return "application/p21"
	case "kml":
		return "application/vnd.google-earth.kml+xml"
	case "kmz":
		return "application/vnd.google-earth.kmz"
	case "shp":
		return "application/vnd.shp"
	case "dbf":
		return "application/vnd.dbf"
	case "gpx":
		return "application/gpx+xml"
	case "dta":
		return "application/x-stata"
	case "sav":
		return "application/x-spss-sav"
	}
	return ""
}
