# A process that may never run twice: it tells when it begins and ends, and when it finds another one alive.
# The story and the mark of life lie in $STORY, where every release finds them.
mkdir "$STORY/alive" 2>/dev/null || echo "twice" >> "$STORY/told"
echo "begin $MAINSTAY_RELEASE" >> "$STORY/told"
trap 'sleep 0.3; rmdir "$STORY/alive"; echo "end $MAINSTAY_RELEASE" >> "$STORY/told"; exit 0' TERM
while true; do sleep 0.05; done
