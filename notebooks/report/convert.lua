-- Converts pieces of Markdown to typst: pandoc lua convert.lua
--
-- Reads {"format": …, "raw": …, "pieces": [Markdown]} and prints, for each piece, {"typst", "html", "pictures",
-- "formulas"}. Each piece is read by itself: what one leaves open (a comment, a code block) ends with it.
-- Embedded typst is kept if it carries the format name `raw`, which no notebook knows.

local input = pandoc.json.decode(io.read("a"))
local results = {}

for number, markdown in ipairs(input.pieces) do
  local found = { html = pandoc.List(), pictures = pandoc.List(), formulas = pandoc.List() }

  local function filter_raw(element)
    if element.format == input.raw then
      element.format = "typst"
      return element
    end
    local is_break = element.tag == "RawInline" and element.text:match("^<br ?/?>$")
    if is_break then return pandoc.LineBreak() end
    if not element.text:match("^<!%-%-.*%-%->%s*$") then found.html:insert(element.text) end
    return {}
  end

  local function filter_picture(picture)
    found.pictures:insert(picture.src)
    picture.src = ("picture-%d-%d"):format(number, #found.pictures)
    return picture
  end

  -- "12", "41.4 % [40.4, 42.4]", "8 of 64": not "3×3 pixels", nor what holds no number
  local function is_number(text)
    local rest = text:gsub("−", "-"):gsub("\u{a0}", " "):match("^[+-]?%d[%d.,]*(.*)$")
    if rest == nil or rest == "" then return rest ~= nil end
    for _, unit in ipairs({ "^ ?%%", "^°", "^e[+-]?%d", "^ points?", "^ ±", "^ ?%[", "^ of %d", "^ ?%(" }) do
      if rest:match(unit) then return true end
    end
    return false
  end

  -- numbers stand below one another: their columns are right-aligned, words such as "reference" among them
  local function align_numbers(grid)
    local rows = pandoc.List()
    for _, body in ipairs(grid.bodies) do rows:extend(body.body) end
    for column, spec in ipairs(grid.colspecs) do
      local numbers, others = 0, 0
      for _, row in ipairs(rows) do
        local text = pandoc.utils.stringify(row.cells[column].contents)
        if is_number(text) then numbers = numbers + 1 elseif text:match("%d") then others = others + 1 end
      end
      if numbers > 0 and others == 0 then grid.colspecs[column] = { "AlignRight", spec[2] } end
    end
    return grid
  end

  -- what announces a list stands on its page
  local function join_lists(blocks)
    local joined = pandoc.List()
    for at, part in ipairs(blocks) do
      local next = blocks[at + 1]
      local announces = part.tag == "Para" and next and (next.tag == "BulletList" or next.tag == "OrderedList")
      if announces then joined:insert(pandoc.RawBlock("typst", "#block(sticky: true)[")) end
      joined:insert(part)
      if announces then joined:insert(pandoc.RawBlock("typst", "]")) end
    end
    return joined
  end

  -- a heading within a notebook is no label of the report
  local function filter_link(link)
    if link.target == "" or link.target:match("^#") then return link.content end
  end

  local messages
  messages, found.typst = pandoc.log.silence(function()
    local document = pandoc.read(markdown .. "\n", input.format):walk({
      RawInline = filter_raw,
      RawBlock = filter_raw,
      Image = filter_picture,
      Link = filter_link,
      Table = align_numbers,
    })
    document.blocks = join_lists(document.blocks)
    local typst = pandoc.write(document, "typst", pandoc.WriterOptions({ wrap_text = "preserve" }))
    -- a blank line parts paragraphs, but none begins what is embedded: `#figure[` and its caption
    local last = document.blocks[#document.blocks]
    return typst:gsub("\n*$", "\n") .. (last and last.tag == "RawBlock" and "" or "\n")
  end)
  for _, logged in ipairs(messages) do
    local message = pandoc.json.decode(pandoc.json.encode(logged)) -- its fields are not for Lua
    if message.type == "CouldNotConvertTeXMath" then found.formulas:insert(message.contents) end
  end
  results[number] = found
end

print(pandoc.json.encode(results))
