# mongo.sh install|run: libmongocrypt with pymongocrypt.
set -e
case $1 in
install)
    python3 -m venv "$PEERS/mongo"
    "$PEERS/mongo/bin/pip" -q install pymongocrypt==1.21.2 pymongo==4.20.1
    ;;
run) exec "$PEERS/mongo/bin/python" "$HERE/mongo.py" ;;
esac
